"""All settings, driven by the environment; `.env.example` names every variable that is read."""

from decimal import Decimal
from pathlib import Path
from typing import Literal

import dj_database_url
import pghistory
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dynosite import env, workers
from dynosite.localserver import local

BASE_DIR = Path(__file__).resolve().parent.parent

MODE = env.choice("DYNOSITE_MODE", "production", ("production", "local", "test"))
PRODUCTION = MODE == "production"
DEBUG = env.flag("DEBUG") and not PRODUCTION

INSECURE_SECRET_KEY = "insecure-only-for-tests-and-for-building-static-files"  # noqa: S105
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY and not PRODUCTION:
    SECRET_KEY = local.secret_key() if MODE == "local" else INSECURE_SECRET_KEY
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or (PRODUCTION and SECRET_KEY.startswith("insecure")):
    raise ImproperlyConfigured(
        "SECRET_KEY must be a private random text of 50 characters or more"
        + (", or set DYNOSITE_MODE=local to have one made." if PRODUCTION else ".")
    )

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "" if PRODUCTION else "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# The proxies whose word on a client's address and scheme counts: addresses, networks, or the word none.
FORWARDED_ALLOW_IPS = env.words("FORWARDED_ALLOW_IPS")
NAMED_PROXIES = [name for name in FORWARDED_ALLOW_IPS if name != "none"]

INSTALLED_APPS = [
    "dynosite",
    "dynosite.accounts",
    "allocations",
    "assistant",
    "dynosite.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "django_prometheus",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "csp",
    # Not in the image: what the benchmarks measure runs there, they do not.
    *(["benchmarks"] if (BASE_DIR / "benchmarks").is_dir() else []),
]

MIDDLEWARE = [
    "dynosite.ops.probes.ProbeMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "dynosite.ops.request_id.RequestIdMiddleware",
    # What guards a page in the browser stands before all that may answer with one, a foreign Host's 400 included.
    "dynosite.ops.headers.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dynosite.ops.refusals.RefusalMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "dynosite.lib.ground_address.GroundAddressMiddleware",
    "dynosite.accounts.sessions.SlidingSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "dynosite.lib.plain_text.PlainTextMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dynosite.accounts.returning.SignInFirstMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dynosite.accounts.returning.PutBackMiddleware",
    "dynosite.lib.htmx.HtmxRedirectMiddleware",
    "dynosite.lib.errors.MethodMiddleware",
    "dynosite.accounts.middleware.HashingBusyMiddleware",
    "allocations.web.middleware.GroundMiddleware",
    "allocations.web.middleware.DomainErrorMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

CSRF_FAILURE_VIEW = "dynosite.lib.errors.csrf_failure"
FORM_RENDERER = "dynosite.lib.forms.FormRenderer"
ROOT_URLCONF = "dynosite.urls"
ASGI_APPLICATION = "dynosite.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["dynosite.lib.template_loading.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dynosite.lib.theme.theme",
                "allocations.web.ground_context.shell",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL")
        or (MODE == "local" and local.database_url())
        or "postgresql://dynosite@127.0.0.1:5432/dynosite",
        conn_health_checks=True,
    )
}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "prepare_threshold": 2,  # by the cursors of dynosite.lib.prepared only
    "options": "-c lock_timeout=8s -c statement_timeout=60s -c idle_in_transaction_session_timeout=120s",
}
if MODE != "test":
    # A thread a request: a pool, not a connection kept by each thread.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.integer("DATABASE_POOL_SIZE", 16, least=1),
        "timeout": 10,
    }
# Half of the pool: pages are served while hundreds of event streams connect again.
STREAMS_OPENED_AT_ONCE = max(1, env.integer("DATABASE_POOL_SIZE", 16, least=1) // 2)
# Open at once. Who has more pages open than that closes some; an address may be that of a whole building.
STREAMS_PER_USER = env.integer("STREAMS_PER_USER", 20, least=1)
STREAMS_PER_ADDRESS = env.integer("STREAMS_PER_ADDRESS", 400, least=1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL") or (MODE == "local" and local.redis_url()) or "redis://127.0.0.1:6379/0"
# Every key and channel begins with this: channels, unlike keys, are shared by all databases of one server.
REDIS_PREFIX = env.text("REDIS_PREFIX", "dynosite")
if MODE == "test":
    REDIS_URL, REDIS_PREFIX = env.worker_redis(REDIS_URL, REDIS_PREFIX)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}:cache",
        "OPTIONS": {"serializer": "dynosite.lib.caching.JsonSerializer"},
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = workers.UPKEEP
CELERY_TASK_ROUTES = workers.ROUTES
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 15 * 60
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{REDIS_PREFIX}:celery:", "visibility_timeout": 30 * 60}
CELERY_IMPORTS = ["dynosite.ops.tasks"]
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "dynosite.ops.tasks.heartbeat", "schedule": 30.0, "options": {"expires": 30}},
    "take-up-lost-runs": {
        "task": "assistant.tasks.take_up_lost_runs",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "take-up-lost-jobs": {
        "task": "allocations.tasks.take_up_lost_jobs",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "keep-the-assistant": {"task": "assistant.tasks.keep", "schedule": crontab(hour=2, minute=30)},
    "clear-up-accounts": {"task": "dynosite.accounts.tasks.clear_up", "schedule": crontab(minute=20)},
    "forget-old-workbooks": {"task": "allocations.tasks.forget_old_workbooks", "schedule": 6 * 60 * 60.0},
}

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "dynosite.accounts.hashing.BoundedArgon2",
    "dynosite.accounts.hashing.BoundedPBKDF2",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/sign-in/"
LOGIN_REDIRECT_URL = "/schedule/"
LOGOUT_REDIRECT_URL = "accounts:sign-in"

# Failed attempts to sign in, by one name from one address, before waits that grow.
SIGN_IN_ATTEMPTS = env.integer("SIGN_IN_ATTEMPTS", 6, least=1)
# Of a browser that has signed in before, so that nobody else's attempts make its user wait.
BROWSER_COOKIE_NAME = "__Host-browser" if PRODUCTION else "browser"

# Each row's history carries its context in the event itself: one insert, and it stays readable when alone.
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_CONTEXT_ID_FIELD = pghistory.ContextUUIDField()
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(db_index=True)
PGHISTORY_APPEND_ONLY = True
PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())

# With it, whoever has it reads /metrics; without it, this machine only.
METRICS_TOKEN = env.text("METRICS_TOKEN")

# Mail goes out only where there is a server for it; notices stand on their page in any case.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_SECURITY = env.choice("EMAIL_SECURITY", "starttls", ("starttls", "tls", "none"))
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_SECURITY == "starttls", EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "dynosite@localhost")
PUBLIC_URL = env.text("PUBLIC_URL").rstrip("/")
if EMAIL_HOST:
    CELERY_BEAT_SCHEDULE["mail-notices"] = {
        "task": "allocations.tasks.mail_notices",
        "schedule": 60.0,
        "options": {"expires": 60},
    }

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "dynosite.lib.date_formats"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_FROM_SOURCE = MODE == "test" or DEBUG
# No default: nothing of what users send is kept in files.
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if STATIC_FROM_SOURCE
        else "dynosite.lib.staticfiles.HashedStaticFiles"
    },
}

SESSION_ENGINE = "dynosite.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE: Literal["Lax"] = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60  # from the last use
SESSION_EXPIRE_AT_BROWSER_CLOSE = False
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrf"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # A bar of the calendar carries its first day and its length as two custom properties.
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    # The first says what a stranger is asked for: a token, with 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dynosite.accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dynosite.lib.api.parsing.SmallJson"],
    "EXCEPTION_HANDLER": "dynosite.lib.api.errors.handle",
}

# Plans, what-ifs and imports that wait or are under way, and workbooks that wait to be confirmed.
JOBS_PER_USER = env.integer("JOBS_PER_USER", 3, least=1)
JOBS_PER_GROUND = env.integer("JOBS_PER_GROUND", 8, least=1)
WORKBOOKS_PER_USER = env.integer("WORKBOOKS_PER_USER", 5, least=1)

GEMINI_API_KEY = env.text("GEMINI_API_KEY")
GEMINI_BASE_URL = env.text("GEMINI_BASE_URL")
ASSISTANT_MODELS = env.words("ASSISTANT_MODELS", "google_genai:gemini-2.5-flash" if GEMINI_API_KEY else "")
ASSISTANT_CALL_SECONDS = env.integer("ASSISTANT_CALL_SECONDS", 20, least=1)
ASSISTANT_TURN_SECONDS = env.integer("ASSISTANT_TURN_SECONDS", 180, least=10)
ASSISTANT_SUMMARY_AT = env.integer("ASSISTANT_SUMMARY_AT", 24_000, least=1_000)
ASSISTANT_SUMMARY_TAIL = env.integer("ASSISTANT_SUMMARY_TAIL", 20, least=4)
# The most words of an answer, thoughts included: budgets hold this back for each call that is under way.
ASSISTANT_OUTPUT_TOKENS = env.integer("ASSISTANT_OUTPUT_TOKENS", 16_384, least=256)
# US dollars for a million tokens in, out, and in from the provider's cache; those of the environment come on top.
ASSISTANT_PRICES = env.prices("ASSISTANT_PRICES")
for _model, _price in {
    "google_genai:gemini-2.5-flash": ("0.30", "2.50", "0.03"),
    "google_genai:gemini-2.5-flash-lite": ("0.10", "0.40", "0.01"),
    "google_genai:gemini-2.5-pro": ("1.25", "10.00", "0.125"),
}.items():
    ASSISTANT_PRICES.setdefault(_model, tuple(map(Decimal, _price)))
# Messages that a user may send.
ASSISTANT_RATE = env.rates("ASSISTANT_RATE", "10/minute,120/hour")
# Answers of a user that are under way at once, in different conversations.
ASSISTANT_RUNS_PER_USER = env.integer("ASSISTANT_RUNS_PER_USER", 3, least=1)
# Days that are kept: what was said, conversations that their users have deleted, and the audit of runs.
ASSISTANT_KEEP_CONVERSATIONS_DAYS = env.integer("ASSISTANT_KEEP_CONVERSATIONS_DAYS", 365, least=1)
ASSISTANT_KEEP_DELETED_DAYS = env.integer("ASSISTANT_KEEP_DELETED_DAYS", 30, least=0)
ASSISTANT_KEEP_RUNS_DAYS = env.integer("ASSISTANT_KEEP_RUNS_DAYS", 730, least=1)
ASSISTANT_PROPOSAL_DAYS = env.integer("ASSISTANT_PROPOSAL_DAYS", 7, least=1)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "dynosite.ops.request_id.RequestIdFilter"},
        "heartbeat": {"()": "dynosite.ops.logs.WithoutHeartbeat"},
    },
    "formatters": {"line": {"format": "%(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id", "heartbeat"]}
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"handlers": ["stderr"], "propagate": False}},
}
