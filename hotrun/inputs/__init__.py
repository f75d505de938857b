"""What the build reads: only such files trigger one.

`constraint`, `source`, `embed`, `package`, `graph`, `depfile` and `listed` know; `question` says
what is asked, `ask` runs the commands, `inputs` keeps the answer true.
"""

from hotrun.inputs.inputs import Inputs

__all__ = ["Inputs"]
