"""Listening sockets: TCP, TLS and a unix socket, independent of the protocol on the connections.

    config.py     the settings
    tcp.py        opens TCP sockets
    unix.py       opens the unix socket, and replaces a stale socket file of a killed process
    tls.py        the certificate, which can be reloaded
    files.py      the limit of open files
    activation.py sockets that systemd has opened (socket activation)
    arrivals.py   accepted connections that wait to be opened
    listener.py   accepts the connections of one socket
    listening.py  all sockets of the configuration

`ssl` takes 4 MB, so it is imported only if a certificate is configured.
"""
