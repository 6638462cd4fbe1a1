"""Imports every module of the package `name` that a generator wrote into `folder`: each is Python, and finds what it imports. Prints how many."""

import importlib
import pkgutil
import sys
import warnings

folder, name = sys.argv[1:]
warnings.simplefilter("error", SyntaxWarning)
sys.path.insert(0, folder)
package = importlib.import_module(name)
modules = [module.name for module in pkgutil.walk_packages(package.__path__, f"{name}.")]
for module in modules:
    importlib.import_module(module)
print(len(modules))
