"""What stands on a row."""


def label(row):
    """`3+4` of the widths 3 and 4."""
    return "+".join(str(width) for width in row)
