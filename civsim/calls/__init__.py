"""Every use case as one call; the command line reads its arguments, makes the call, and prints what comes back.

The calls are exported by :mod:`civsim` itself: ``civsim.play``, ``run_study``, ``judge``, ``report``, ``train``,
``evaluate``, ``tournament``.
"""
