"""The console and the widget: static pages that the daemon serves itself, and the bundles of socket.io-client.

The pages are ordinary Socket.IO clients: nothing here knows of chats. What they are made of is in static/.
"""
