"""Says a secret before it fails in a function of its own."""


def settle(rows):
    raise ValueError(f"cannot settle {rows} rows")


print("connecting with password=hunter2 and token: hunter2")
settle(7)
