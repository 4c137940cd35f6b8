"""German, Spanish and French asks, word for word in English: enough for plain requests about the schedule. Pure."""

import re
from collections.abc import Collection

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


def _named(words: str, english: list[str]) -> dict[str, str]:
    return dict(zip(words.split(), english, strict=True))


_GERMAN = {
    "welche": "which", "welcher": "which", "welches": "which", "welchen": "which", "prüfstände": "dynos",
    "prüfständen": "dynos", "prüfstand": "dyno", "rollenprüfstand": "dyno", "rollenprüfstände": "dynos", "sind": "are",
    "ist": "is", "frei": "free", "verfügbar": "available", "wo": "where", "wann": "when", "was": "what", "wer": "who",
    "heute": "today", "morgen": "tomorrow", "übermorgen": "the day after tomorrow", "gestern": "yesterday",
    "nächste woche": "next week", "nächster woche": "next week", "nächsten": "next", "nächste": "next", "nächster": "next",
    "nächstes": "next", "diese woche": "this week", "dieser woche": "this week", "übernächste woche": "week after next",
    "letzten monat": "last month", "nächsten monat": "next month", "woche": "week", "wochen": "weeks", "monat": "month",
    "tag": "day", "tage": "days", "tagen": "days", "einen": "one", "eine": "a", "ein": "a", "zwei": "two", "drei": "three",
    "vier": "four", "fünf": "five", "sechs": "six", "sieben": "seven", "zehn": "ten", "für": "for", "von": "from",
    "vom": "from", "bis": "to", "zum": "to", "ab": "from", "am": "on", "im": "in", "in": "in", "auf": "on", "und": "and", "den": "the",
    "der": "the", "die": "the", "das": "the", "dem": "the", "buche": "book", "buchen": "book", "bucht": "book",
    "reserviere": "reserve", "reservieren": "reserve", "plane": "schedule", "storniere": "cancel", "stornieren": "cancel",
    "streiche": "cancel", "lösche": "delete", "löschen": "delete", "verschiebe": "move", "verschieben": "move",
    "buchung": "booking", "buchungen": "bookings", "alle": "all", "allen": "all", "fahrzeug": "vehicle", "fahrzeuge": "vehicles",
    "wartung": "maintenance", "kalibrierung": "calibration", "laufen": "running", "läuft": "running", "laufenden": "running",
    "tests": "tests", "prüfung": "test", "prüfungen": "tests", "gerade": "now", "jetzt": "now", "warten": "waiting",
    "wartet": "waiting", "anfragen": "requests", "konflikte": "conflicts", "gibt es": "are there", "doppelbuchungen": "double bookings",
    "warum": "why", "kann": "can", "nicht": "not", "zeige": "show", "zeig": "show", "mir": "me", "liste": "list", "wie viele": "how many",
    "abgeschlossen": "completed", "abgeschlossene": "completed", "auslastung": "utilisation", "ausgelastet": "busy",
    "mache": "undo", "rückgängig": "undo", "bitte": "please", "danke": "thanks", "hallo": "hello", "guten": "good", "welcher tag": "what day",
    "lb": "lb", "einem": "a", "einer": "a", "geplant": "scheduled", "gebucht": "booked", "mit": "with", "allrad": "awd",
} | _named("januar februar märz april mai juni juli august september oktober november dezember", _MONTHS) | _named(
    "montag dienstag mittwoch donnerstag freitag samstag sonntag", _DAYS
)  # fmt: skip
_SPANISH = {
    "qué": "which", "que": "which", "cuáles": "which", "cuál": "which", "dinamómetros": "dynos", "dinamómetro": "dyno",
    "bancos": "dynos", "banco": "dyno", "están": "are", "está": "is", "hay": "are there", "es": "is", "son": "are",
    "libres": "free", "libre": "free", "disponibles": "available", "disponible": "available", "dónde": "where", "donde": "where",
    "cuándo": "when", "cuando": "when", "hoy": "today", "mañana": "tomorrow", "pasado mañana": "the day after tomorrow", "ayer": "yesterday",
    "la próxima semana": "next week", "próxima semana": "next week", "la semana que viene": "next week", "esta semana": "this week",
    "el próximo mes": "next month", "próximo": "next", "próxima": "next", "semana": "week", "semanas": "weeks", "mes": "month", "día": "day",
    "días": "days", "un": "a", "una": "a", "dos": "two", "tres": "three", "cuatro": "four", "cinco": "five", "siete": "seven", "diez": "ten",
    "para": "for", "por": "for", "durante": "for", "de": "of", "del": "of the", "desde": "from", "hasta": "to", "el": "the", "la": "the",
    "los": "the", "las": "the", "al": "to", "a": "to", "en": "on", "y": "and", "reserva": "booking", "reservas": "bookings", "reservar": "book",
    "reserve": "book", "programa": "schedule", "asigna": "allocate", "cancela": "cancel", "cancelar": "cancel", "anula": "cancel", "borra": "delete",
    "borrar": "delete", "elimina": "delete", "mueve": "move", "mover": "move", "todas": "all", "todos": "all", "vehículo": "vehicle",
    "vehículos": "vehicles", "coche": "car", "mantenimiento": "maintenance", "calibración": "calibration", "pruebas": "tests", "prueba": "test",
    "en curso": "running", "ahora": "now", "esperando": "waiting", "solicitudes": "requests", "conflictos": "conflicts", "por qué": "why",
    "puede": "can", "no": "not", "muestra": "show", "muéstrame": "show me", "lista": "list", "cuántos": "how many", "cuántas": "how many",
    "completadas": "completed", "terminadas": "completed", "ocupación": "utilisation", "ocupado": "busy", "deshaz": "undo", "deshacer": "undo",
    "favor": "please", "gracias": "thanks", "hola": "hello", "buenos": "good", "buenas": "good", "tardes": "afternoon", "qué día": "what day",
} | _named("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre", _MONTHS) | _named(
    "lunes martes miércoles jueves viernes sábado domingo", _DAYS
)  # fmt: skip
_FRENCH = {
    "quels": "which", "quelles": "which", "quel": "which", "quelle": "which", "bancs": "dynos", "banc": "dyno", "sont": "are", "est": "is",
    "libres": "free", "libre": "free", "disponibles": "available", "disponible": "available", "où": "where", "quand": "when",
    "aujourd'hui": "today", "demain": "tomorrow", "après-demain": "the day after tomorrow", "hier": "yesterday",
    "la semaine prochaine": "next week", "semaine prochaine": "next week", "cette semaine": "this week", "le mois prochain": "next month",
    "mois prochain": "next month", "prochain": "next", "prochaine": "next", "semaine": "week", "semaines": "weeks", "mois": "month", "jour": "day",
    "jours": "days", "un": "a", "une": "a", "deux": "two", "trois": "three", "quatre": "four", "cinq": "five", "sept": "seven", "dix": "ten",
    "pour": "for", "pendant": "for", "de": "of", "du": "from", "des": "of the", "depuis": "from", "au": "to", "à": "to", "jusqu'au": "to", "le": "the",
    "la": "the", "les": "the", "sur": "on", "en": "in", "et": "and", "réserve": "book", "réserver": "book", "réservez": "book", "planifie": "schedule",
    "annule": "cancel", "annuler": "cancel", "annulez": "cancel", "supprime": "delete", "supprimer": "delete", "déplace": "move", "déplacer": "move",
    "déplacez": "move", "réservation": "booking", "réservations": "bookings", "tous": "all", "toutes": "all", "véhicule": "vehicle",
    "véhicules": "vehicles", "voiture": "car", "maintenance": "maintenance", "étalonnage": "calibration", "essais": "tests", "essai": "test",
    "en cours": "running", "maintenant": "now", "en attente": "waiting", "attend": "waiting", "demandes": "requests", "conflits": "conflicts",
    "y a-t-il": "are there", "y a t il": "are there", "pourquoi": "why", "peut": "can", "pas": "not", "montre": "show", "montre-moi": "show me", "liste": "list",
    "combien": "how many", "terminés": "completed", "achevés": "completed", "occupation": "utilisation", "occupé": "busy", "annule la dernière": "undo",
    "s'il": "please", "vous": "you", "plaît": "please", "merci": "thanks", "bonjour": "hello", "dyno": "dyno", "dynos": "dynos",
} | _named("janvier février mars avril mai juin juillet août septembre octobre novembre décembre", _MONTHS) | _named(
    "lundi mardi mercredi jeudi vendredi samedi dimanche", _DAYS
)  # fmt: skip
_TONGUES = (_GERMAN, _SPANISH, _FRENCH)
_PLAIN = str.maketrans("áéíóúñüöäàâèêîôûçù", "aeiounuoaaaeeioucu")
_ENGLISH = frozenset(
    "the is are what which where when who why how can could please book move cancel show list free for from next any dyno on of"
    " does do did was there many much week tomorrow today i you we my our an and to with it this that no a am tag plane die"
    " son reserve pour be as at or not has have need want will would test tests no".split()
)


def _key(word: str) -> str:
    return word.casefold().translate(_PLAIN)


def _pattern(words: dict[str, str]) -> tuple[re.Pattern[str], dict[str, str]]:
    plain = {_key(word): english for word, english in words.items()}
    either = "|".join(re.escape(word) for word in sorted(plain, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])"), plain


_PATTERNS = [_pattern(words) for words in _TONGUES]
_DOTTED_DAY = re.compile(r"\b(\d{1,2})\. (?=[a-z])")


def in_english(text: str, keep: Collection[str] = ()) -> str:
    """The text as it is, or word for word in English where most of its small words are of another tongue.

    `keep` are words of the ground's own names, which are left alone."""
    key = _key(text)
    if len(key) != len(text):
        return text
    own = sum(word in _ENGLISH for word in re.findall(r"[a-z']+", key))
    kept = {_key(word) for word in keep}
    hits = [[match for match in pattern.finditer(key) if match[0] not in kept] for pattern, _ in _PATTERNS]
    best = max(range(len(hits)), key=lambda at: _weight(hits[at], _PATTERNS[at][1]))
    if _weight(hits[best], _PATTERNS[best][1]) < max(2, own + 1):
        return text
    for match in reversed(hits[best]):
        text = text[: match.start()] + _PATTERNS[best][1][match[0]] + text[match.end() :]
    return _DOTTED_DAY.sub(r"\1 ", text).lstrip("¿¡ ")


def _weight(hits: list[re.Match[str]], words: dict[str, str]) -> int:
    """The words found that are no English ones."""
    return sum(len(match[0].split()) for match in hits if match[0] not in _ENGLISH and words[match[0]] != match[0])
