"""The sockets that accept connections: plain TCP, TLS, a unix socket. Knows nothing of what is spoken over them.

    config.py     what an operator can set
    tcp.py        opens TCP sockets
    unix.py       opens the unix socket, and cleans up what a killed process left in its place
    tls.py        the certificate, read again on request
    files.py      how many files may be open
    activation.py sockets that systemd has opened for us
    listener.py   accepts
    listening.py  all of it, as configured

`ssl` is imported only where there is a certificate: it takes 4 MB.
"""
