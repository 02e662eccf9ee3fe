"""The rules of the gateway, and nothing else.

Everything here is a value or a function of values. No clock, no dice, no socket, no file, no log, no environment:
time, draws and configuration are arguments. Whoever reads bottom-up (`failure`, `usage`, `pricing`, `chat`,
`catalog`, `ask`, ...) has read the whole product once `decision` is reached.
"""
