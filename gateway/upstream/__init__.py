"""The lean HTTP/1.1 client: one request, one answer, over pooled connections.

Owns sockets, names, TLS, framing, deadlines of one exchange and the translation of all their faults into `Failure`.
Refuses to know models, prices, wire formats of bodies, and whether a failure is worth another try elsewhere.

Bottom-up: `call` (what is asked), `wire` (its bytes), `response` and `decode` (bytes to an answer, no I/O), `resend`
(when a request may be sent twice), `answer` and `connection` (one exchange on one socket), `dial` (names, TCP, TLS),
`pool` (connections of one origin), `client` (all origins, and the one timer).
"""
