namespace Ferry.Cluster.Observed;

/// <summary>Which names stand for secrets, in environment variables, flags, YAML and JSON keys.</summary>
internal static class SecretNames
{
    private static readonly string[] Words =
        ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "APIKEY", "ACCESSKEY", "PRIVATEKEY", "CREDENTIAL", "ACCESSKEYID", "SECRETKEY"];

    /// <summary>Names that hold one of the words and yet no secret.</summary>
    private static readonly string[] Harmless =
        ["TOKENIZER", "TOKENS", "MAXTOKEN", "SKIPLASTNTOKEN", "TOKENIZERS", "SECRETNAME", "SECRETREF", "SECRETKEYREF", "PASSWORDFILE", "TOKENFILE", "TOKENTIMEOUT"];

    /// <summary>Whether a value under this name is a secret: <c>AWS_SECRET_ACCESS_KEY</c>, <c>HF_TOKEN</c>, <c>--api-key</c>, <c>password</c>.</summary>
    public static bool IsSecret(string name)
    {
        var folded = name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal)
            .Replace(".", "", StringComparison.Ordinal).ToUpperInvariant();
        return Words.Any(word => folded.Contains(word, StringComparison.Ordinal)) &&
            !Harmless.Any(word => folded.Contains(word, StringComparison.Ordinal));
    }
}
