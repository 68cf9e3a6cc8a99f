using Ferry.Kv.Text;

namespace Ferry.Cache.Remote;

/// <summary>A tier's URL in its parts, letter case kept (a host that is a bucket's name must not be folded).</summary>
/// <param name="Authority">Between <c>//</c> and the first slash, without user and password.</param>
/// <param name="User">Before the <c>@</c>; null for none.</param>
/// <param name="Path">Without slashes at its ends.</param>
internal sealed record TierQuery(string Authority, string? User, string Path, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Takes the URL apart. What it adds to <paramref name="errors"/> never repeats a secret.</summary>
    /// <param name="known">Names that the query may hold.</param>
    public static TierQuery? TryParse(string url, IReadOnlyList<string> known, List<string> errors)
    {
        var shown = TierUrl.ForDisplay(url);
        var start = url.IndexOf("://", StringComparison.Ordinal);
        if (start <= 0 || url.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            errors.Add($"cache.shared.url is \"{shown}\"; write a URL without blanks, such as s3://bucket?endpoint=http://host:7480.");
            return null;
        }
        var rest = url[(start + 3)..];
        if (rest.Contains('#', StringComparison.Ordinal))
        {
            errors.Add($"cache.shared.url is \"{shown}\"; a part behind # has no meaning here. Leave it out.");
            return null;
        }
        var (front, query) = Cut(rest, '?');
        var (authority, path) = Cut(front, '/');
        string? user = null;
        if (authority.LastIndexOf('@') is var at and >= 0)
        {
            (user, authority) = (authority[..at], authority[(at + 1)..]);
        }
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(pair, '=');
            if (TierUrl.IsSecretName(name))
            {
                errors.Add($"cache.shared.url \"{shown}\" holds a secret ({name}). URLs end up in logs: put it into a credentials file or the environment.");
            }
            else if (!known.Contains(name))
            {
                var nearest = NearestName.Find(name, known) is { } near ? $" Did you mean {near}?" : "";
                errors.Add($"cache.shared.url \"{shown}\": {name} is not known; known are {string.Join(", ", known)}.{nearest}");
            }
            else if (!values.TryAdd(name, Uri.UnescapeDataString(value)))
            {
                errors.Add($"cache.shared.url \"{shown}\": {name} stands there twice.");
            }
        }
        return new TierQuery(authority, user, path.Trim('/'), values);
    }

    private static (string Before, string After) Cut(string text, char at) =>
        text.IndexOf(at) is var index and >= 0 ? (text[..index], text[(index + 1)..]) : (text, "");
}
