"""Static files with a hash in their names, ES modules' imports of each other included."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Rewrites `import` in JavaScript as well, so that a module is never older than what it imports."""

    support_js_module_import_aggregation = True
