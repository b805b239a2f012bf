"""The wire contract in Python: message classes and stubs, built at run time from `descriptor.bin`.

Nothing here may need generated code: generated code binds a package to one range of protobuf releases.
"""
