using System.Text.RegularExpressions;

namespace Ferry.Cache.Remote;

/// <summary>What may be printed of a tier's URL. Secrets do not belong into URLs; one that is there all the same is never repeated.</summary>
internal static partial class TierUrl
{
    private const string Hidden = "…";

    /// <summary>The URL with user name, password and every query value that may be a secret left out.</summary>
    public static string ForDisplay(string url)
    {
        var authority = url.IndexOf("://", StringComparison.Ordinal) is var at and >= 0 ? at + 3 : 0;
        var user = url.LastIndexOf('@'); // The last: a password that was not encoded may hold one, or a slash.
        var shown = user >= authority ? string.Concat(url.AsSpan(0, authority), Hidden, url.AsSpan(user)) : url;
        return SecretQuery().Replace(shown, match => match.Groups["name"].Value + "=" + Hidden);
    }

    /// <summary>True when a query name says that its value is a secret.</summary>
    public static bool IsSecretName(string name) => SecretName().IsMatch(name);

    [GeneratedRegex("key|secret|password|passwd|token|credential|auth", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    [GeneratedRegex("(?<name>[^?&=]*(key|secret|password|passwd|token|credential|auth)[^?&=]*)=[^&]*", RegexOptions.IgnoreCase)]
    private static partial Regex SecretQuery();
}
