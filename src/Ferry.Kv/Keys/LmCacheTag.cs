namespace Ferry.Kv.Keys;

/// <summary>A tag of a request, <c>lmcache.tag.NAME</c> in its <c>kv_transfer_params</c>; part of the key as <c>@NAME%VALUE</c>.</summary>
/// <param name="Name">Not empty, without <c>@</c>, <c>%</c> and control characters.</param>
/// <param name="Value">Without <c>@</c> and control characters; may be empty.</param>
public readonly record struct LmCacheTag(string Name, string Value)
{
    internal bool IsPrintable => KeyText.IsPart(Name) && !Name.Contains('%') && (Value.Length == 0 || KeyText.IsPart(Value));

    public override string ToString() => $"{Name}%{Value}";

    internal static LmCacheTag? TryParse(ReadOnlySpan<char> text)
    {
        var percent = text.IndexOf('%');
        return percent > 0 && KeyText.IsPart(text) ? new LmCacheTag(text[..percent].ToString(), text[(percent + 1)..].ToString()) : null;
    }
}
