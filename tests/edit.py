# SPDX-License-Identifier: BSD-2-Clause
"""Documents that are right but for one thing."""
import copy


def changed(document, path, value):
    """A copy with another value at the path; None: without it."""
    whole = at = copy.deepcopy(document)
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return whole
