/* mediatype.c: IANA's names for what pipelines put out.  A table of our own and not the machine's /etc/mime.types: the same
 * output must be the same objects wherever it is pushed from. */
#include "mediatype.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct type { const char *ending, *name; } types[] = {
	{ "7z", "application/x-7z-compressed" }, { "arrow", "application/vnd.apache.arrow.file" }, { "avi", "video/x-msvideo" },
	{ "avif", "image/avif" }, { "avro", "application/avro" }, { "bmp", "image/bmp" }, { "bz2", "application/x-bzip2" },
	{ "css", "text/css" }, { "csv", "text/csv" }, { "doc", "application/msword" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" }, { "epub", "application/epub+zip" },
	{ "flac", "audio/flac" }, { "geojson", "application/geo+json" }, { "gif", "image/gif" }, { "gz", "application/gzip" },
	{ "h5", "application/x-hdf5" }, { "hdf5", "application/x-hdf5" }, { "htm", "text/html" }, { "html", "text/html" },
	{ "ico", "image/vnd.microsoft.icon" }, { "ics", "text/calendar" }, { "ipynb", "application/x-ipynb+json" },
	{ "jpeg", "image/jpeg" }, { "jpg", "image/jpeg" }, { "js", "text/javascript" }, { "json", "application/json" },
	{ "jsonl", "application/jsonl" }, { "jsonld", "application/ld+json" }, { "jxl", "image/jxl" },
	{ "kml", "application/vnd.google-earth.kml+xml" }, { "log", "text/plain" }, { "m4a", "audio/mp4" },
	{ "markdown", "text/markdown" }, { "md", "text/markdown" }, { "mjs", "text/javascript" }, { "mov", "video/quicktime" },
	{ "mp3", "audio/mpeg" }, { "mp4", "video/mp4" }, { "mpeg", "video/mpeg" }, { "nc", "application/x-netcdf" },
	{ "ndjson", "application/x-ndjson" }, { "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odt", "application/vnd.oasis.opendocument.text" }, { "oga", "audio/ogg" }, { "ogg", "audio/ogg" }, { "ogv", "video/ogg" },
	{ "otf", "font/otf" }, { "parquet", "application/vnd.apache.parquet" }, { "pdf", "application/pdf" }, { "png", "image/png" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" }, { "ps", "application/postscript" },
	{ "py", "text/x-python" }, { "r", "text/plain" }, { "rtf", "application/rtf" }, { "sh", "application/x-sh" },
	{ "sql", "application/sql" }, { "sqlite", "application/vnd.sqlite3" }, { "svg", "image/svg+xml" }, { "tar", "application/x-tar" },
	{ "tex", "application/x-tex" }, { "tgz", "application/gzip" }, { "tif", "image/tiff" }, { "tiff", "image/tiff" },
	{ "toml", "application/toml" }, { "tsv", "text/tab-separated-values" }, { "ttf", "font/ttf" }, { "txt", "text/plain" },
	{ "wasm", "application/wasm" }, { "wav", "audio/wav" }, { "webm", "video/webm" }, { "webp", "image/webp" },
	{ "woff", "font/woff" }, { "woff2", "font/woff2" }, { "xhtml", "application/xhtml+xml" }, { "xls", "application/vnd.ms-excel" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" }, { "xml", "application/xml" },
	{ "xz", "application/x-xz" }, { "yaml", "application/yaml" }, { "yml", "application/yaml" }, { "zip", "application/zip" },
	{ "zst", "application/zstd" },
};

static int
by_ending(const void *key, const void *type)
{
	return strcasecmp(key, ((const struct type *)type)->ending);
}

const char *
mediatype(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	const struct type *t = dot && dot > name ? bsearch(dot + 1, types, sizeof types / sizeof *types, sizeof *types, by_ending) : NULL;

	return t ? t->name : "application/octet-stream";
}
