"""The verbs: they check arguments and join bindings and kernels."""
