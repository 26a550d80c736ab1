"""The verbs of evalsets as operators of the App, one a file."""

from .calibrate import Calibrate
from .compose import Compose
from .coverage import Coverage
from .diff import Diff
from .discover import Discover
from .embed import Embed
from .evaluate import Evaluate
from .explain import Explain
from .label_next import LabelNext
from .load_suite import LoadSuite
from .membership import Membership
from .populations import Populations
from .refresh import Refresh
from .release import Release
from .releases import Releases
from .remove import Remove
from .rename import Rename
from .retire import Retire
from .save_suite import SaveSuite
from .search import Search
from .select import Select
from .split import Split
from .sync import Sync
from .tag import Tag
from .upload_predictions import UploadPredictions
from .upload_scores import UploadScores

OPERATORS = (
    Sync,
    Embed,
    Tag,
    Search,
    Compose,
    Calibrate,
    Populations,
    Membership,
    Remove,
    Refresh,
    Split,
    Coverage,
    Select,
    UploadPredictions,
    UploadScores,
    Evaluate,
    Discover,
    LabelNext,
    Release,
    Releases,
    Diff,
    SaveSuite,
    LoadSuite,
    Rename,
    Retire,
    Explain,
)
