"""Every setting of Ballada; what depends on the place it runs in comes from the environment."""

from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()

# "development" answers on this machine only and forgives a missing key; "production" does not.
MODE = env.choice("BALLADA_MODE", ("development", "production"), "development")
IS_PRODUCTION = MODE == "production"
# A demo shows the logins of its made-up people on the sign-in page.
IS_DEMO = env.flag("BALLADA_DEMO", default=False)
DEBUG = env.flag("BALLADA_DEBUG", default=False)
SECRET_KEY = env.text("BALLADA_SECRET_KEY", "" if IS_PRODUCTION else "for-development-only-" + "x" * 40)
ALLOWED_HOSTS = env.names("BALLADA_HOSTS", "" if IS_PRODUCTION else "localhost,127.0.0.1,[::1],testserver")
TIME_ZONE = env.time_zone("BALLADA_TIME_ZONE", "Europe/Moscow")
PROGRAMME_NAME = env.text("BALLADA_PROGRAMME_NAME", "Ballada")
# A company's own logo, and the one colour that the accents of every page are made from.
LOGO = env.picture("BALLADA_LOGO")
ACCENT = env.colour("BALLADA_ACCENT")
SUPPORT_EMAIL = env.text("BALLADA_SUPPORT_EMAIL", "help@ballada.example")
# Where people find this site: what letters and invitations link to.
SITE_URL = env.text("BALLADA_SITE_URL", "" if IS_PRODUCTION else "http://localhost:8000").rstrip("/")
DEFAULT_FROM_EMAIL = env.text("BALLADA_FROM_EMAIL", f"{PROGRAMME_NAME} <{SUPPORT_EMAIL}>")
EMAIL_HOST = env.text("BALLADA_SMTP_HOST", "")
EMAIL_PORT = env.number("BALLADA_SMTP_PORT", default=25, least=1)
# Where text messages are handed over; without it development writes them to the log, and production
# confirms no phones.
SMS_URL = env.text("BALLADA_SMS_URL", "")
LOG_LEVEL = env.choice("BALLADA_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
DATABASE_CONNECTIONS = env.number("BALLADA_DATABASE_CONNECTIONS", default=8, least=1)
# How long an unpaid order keeps the points that were set aside for it.
HOLD_HOURS = env.number("BALLADA_HOLD_HOURS", default=24, least=1)
# How many requests one key of a shop may make in a minute, unless the key itself says otherwise.
API_REQUESTS_A_MINUTE = env.number("BALLADA_API_REQUESTS_A_MINUTE", default=600, least=1)
# The largest body of a request: a thousand orders with their lines fit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
# How many points one colleague may adjust at once and in a day without a second person.
STAFF_ADJUSTMENT_POINTS = env.number("BALLADA_STAFF_ADJUSTMENT_POINTS", default=1_000, least=0)
STAFF_ADJUSTMENT_DAY_POINTS = env.number("BALLADA_STAFF_ADJUSTMENT_DAY_POINTS", default=5_000, least=0)
SUPERVISOR_ADJUSTMENT_POINTS = env.number("BALLADA_SUPERVISOR_ADJUSTMENT_POINTS", default=10_000, least=0)
SUPERVISOR_ADJUSTMENT_DAY_POINTS = env.number(
    "BALLADA_SUPERVISOR_ADJUSTMENT_DAY_POINTS", default=50_000, least=0
)
# The largest sale that one of the staff may register, and all of theirs in a day, in the currency.
STAFF_SALE_SUM = env.number("BALLADA_STAFF_SALE_SUM", default=100_000, least=0)
STAFF_SALE_DAY_SUM = env.number("BALLADA_STAFF_SALE_DAY_SUM", default=1_000_000, least=0)
# So many days ahead members are told that their tier is about to end.
TIER_WARNING_DAYS = env.number("BALLADA_TIER_WARNING_DAYS", default=30, least=1)
# Whether staff and supervisors sign in with a second factor.
NEEDS_SECOND_FACTOR = env.flag("BALLADA_SECOND_FACTOR", default=IS_PRODUCTION)
# After how long without use a colleague is signed out.
STAFF_IDLE_MINUTES = env.number("BALLADA_STAFF_IDLE_MINUTES", default=30, least=2)
# Where uploaded files are kept; web and worker share it.
MEDIA_ROOT = env.text("BALLADA_FILES", str(BASE_DIR / "var" / "files"))
# Nobody else on the machine reads orders and contacts.
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# Until then everything is closed for work on it: people read when it opens again.
CLOSED_UNTIL = env.moment("BALLADA_CLOSED_UNTIL", TIME_ZONE)
# Proxies in front of the server: who signs in from where is counted behind them.
TRUSTED_PROXIES = env.number("BALLADA_PROXIES", default=0, least=0)
database = env.database("DATABASE_URL")
env.refuse_unknown("BALLADA_")

if SITE_URL and not SITE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured("BALLADA_SITE_URL is no address; set it like https://club.example.")
if SMS_URL and not SMS_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured("BALLADA_SMS_URL is no address; set it like https://sms.example/send.")
if IS_PRODUCTION:
    for name, value in (
        ("BALLADA_SECRET_KEY", SECRET_KEY),
        ("BALLADA_HOSTS", ALLOWED_HOSTS),
        ("BALLADA_SITE_URL", SITE_URL),
        ("DATABASE_URL", database),
        ("BALLADA_SMTP_HOST", EMAIL_HOST),
    ):
        if not value:
            raise ImproperlyConfigured(f"{name} is not set; production does not start without it.")
    if IS_DEMO or DEBUG:
        raise ImproperlyConfigured("BALLADA_DEMO and BALLADA_DEBUG are for development; set both to false.")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_tables2",
    "ninja",
    "csp",
    "phonenumber_field",
    "procrastinate.contrib.django",
    "accounts",
    "loyalty",
    "referrals",
    "orders",
    "supervisor",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.ClosedMiddleware",
    "config.middleware.RetryAfterMiddleware",
    "accounts.middleware.SignedOutFormMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "referrals.middleware.InvitationMiddleware",
    "loyalty.middleware.KeptCardMiddleware",
    "config.middleware.PrivatePagesMiddleware",
    "config.middleware.MethodPageMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.programme",
            ],
            "libraries": {"brand": "config.brand_tags"},
        },
    }
]

if database is None:
    from dev.postgres import connection_settings

    database = connection_settings()
# A transaction that waits for its client holds the locks of a member's account.
# No statement of ours runs long enough to be worth compiling: history pages took twice their time.
database["OPTIONS"] = {
    "options": "-c jit=off",
    **database.get("OPTIONS", {}),  # type: ignore[dict-item]
    "pool": {"min_size": 1, "max_size": DATABASE_CONNECTIONS, "timeout": 10},
}
DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PersonBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_FORMS = {"login": "accounts.sign_in_forms.SignInForm", "signup": "accounts.sign_in_forms.SignUpForm"}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
MFA_ADAPTER = "accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# allauth remembers for one period that a code was used: a longer life would let it sign in twice.
MFA_TOTP_TOLERANCE = 0
# Besides allauth's own limits: how many visits by invitations are counted that come from one address, and
# how often one colleague may search for members, open their cards and have contacts shown.
ACCOUNT_RATE_LIMITS = {
    "invitation_visit": "60/h/ip",
    "staff_search": "60/m/user",
    "staff_card": "120/h/user",
    "staff_contacts": "30/h/user",
}

LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
PHONENUMBER_DEFAULT_REGION = "RU"
PHONENUMBER_DB_FORMAT = "E164"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION

# Rate limits are counted in the cache: in the database, so that all workers count together.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"},
}
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "accounts.local_mail.LocalMailBackend"
)
# Without a mail server letters are kept here, and can be read at /mail/ of this machine.
LOCAL_MAIL = "" if IS_PRODUCTION or EMAIL_HOST else str(BASE_DIR / "var" / "mail")
# A mail server that says nothing keeps nobody waiting for longer.
EMAIL_TIMEOUT = 10


# Each app's jobs are in its `jobs` module. A worker that has not been heard of for half a minute is
# dead: what it was doing is done again by another.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_WORKER_DEFAULTS = {
    "delete_jobs": "successful",
    # A long import or recount must not keep letters and maturing points waiting.
    "concurrency": 4,
    "update_heartbeat_interval": 10,
    "stalled_worker_timeout": 30,
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if IS_PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"incident": {"()": "config.logs.IncidentFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["incident"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # One line per start of every command is noise.
        "procrastinate": {"level": "WARNING"},
        # It would write whole addresses, and that of the SMS gateway may hold a key.
        "httpx": {"level": "WARNING"},
    },
}
