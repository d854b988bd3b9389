"""The checks of scripts/tidy, by the name of their module, the quick ones first."""

from . import (analyzer, banned, docs, headers, layers, layout, leftovers, lengths, mutants, statics,
               workplace)

CHECKS = {module.__name__.rpartition(".")[2]: module
          for module in (layers, banned, statics, lengths, leftovers, mutants, docs, workplace, layout,
                         headers, analyzer)}
