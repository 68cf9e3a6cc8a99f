using System.Text.RegularExpressions;

namespace Ferry.Cluster.Diagnosis;

/// <summary>Takes what must not be shown out of a line of a log or of a program's answer.</summary>
public static partial class SecretMask
{
    public static string Apply(string text)
    {
        var masked = NamedSecret().Replace(text, "${name}***");
        masked = UserInfo().Replace(masked, "${scheme}***@");
        return KnownToken().Replace(masked, "***");
    }

    private const string Names = @"[\w-]*(?:secret|passw(?:or)?d|api[_-]?key|access[_-]?key|auth[_-]?token|session[_-]?token|hf[_-]?token|credential)[\w-]*";

    /// <summary>A name that says secret, and its value: <c>AWS_SECRET_ACCESS_KEY=…</c>, <c>"password": "…"</c>, <c>--api-key …</c>, <c>"name":"…","value":"…"</c>, <c>Authorization: Bearer …</c>.</summary>
    [GeneratedRegex(
        "(?<name>(?:" + Names + "['\"]?\\s*[:=]\\s*['\"]?|--" + Names + "\\s+|" + Names + "\"\\s*,\\s*\"value\"\\s*:\\s*\"|authorization['\"]?\\s*[:=]\\s*['\"]?(?:bearer|basic|aws4-hmac-sha256)\\s+))[^\\s'\",;&}\\]]+",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NamedSecret();

    [GeneratedRegex(@"(?<scheme>[a-z][a-z0-9+.-]{1,20}://)[^/\s@]{1,256}@", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UserInfo();

    /// <summary>Tokens known by their own form: AWS key ids, Hugging Face, GitHub.</summary>
    [GeneratedRegex(@"\b(?:A[KS]IA[0-9A-Z]{16}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,})\b", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex KnownToken();
}
