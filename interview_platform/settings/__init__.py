"""Every setting of the platform, read from the environment.

The names, their meaning and their defaults are listed in docs/configuration.md.
"""

from interview_platform.settings.admin import *
from interview_platform.settings.core import *
from interview_platform.settings.environment import env
from interview_platform.settings.interviews import *
from interview_platform.settings.logs import *
from interview_platform.settings.mail import *
from interview_platform.settings.security import *
from interview_platform.settings.sign_on import *
from interview_platform.settings.speech import *
from interview_platform.settings.stores import *

env.check()
