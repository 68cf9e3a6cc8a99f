using Ferry.Cache.Remote.Fronts;

namespace Ferry.Cache.Remote.Lm;

/// <summary>The <c>lm://</c> front. The protocol has no password: whoever reaches the port can read and change the cache.</summary>
public sealed record LmFrontOptions : FrontOptions
{
    public override string Section => "cache.lm";

    /// <summary>Bytes of the answer to LIST; keys beyond are left out.</summary>
    public int ListBytesMax { get; init; } = 16 << 20;

    /// <summary>Every error at once, each with path, value, limit and way out; empty when usable.</summary>
    public override IReadOnlyList<string> Validate()
    {
        var errors = new List<string>(base.Validate());
        Bound(errors, "listBytesMax", ListBytesMax, 1 << 10, 256 << 20);
        return errors;
    }
}
