"""From a file to typed rows: the landing zone, the readers of formats, staging by COPY.

What a column means stands in the contracts; whether the rows are good is judged by `fulcrum.quality`.
"""
