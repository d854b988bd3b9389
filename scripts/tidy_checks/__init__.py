"""The checks of scripts/tidy, by name, the quick ones first."""

from . import (analyzer, banned, docs, function_length, globals_, headers, layers, layout,
               leftovers, mutants, workplace)

CHECKS = {
    "layers": layers,
    "banned": banned,
    "globals": globals_,
    "function-length": function_length,
    "leftovers": leftovers,
    "mutants": mutants,
    "docs": docs,
    "workplace": workplace,
    "layout": layout,
    "headers": headers,
    "analyzer": analyzer,
}
