using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Clients;

/// <summary>What a client's key says.</summary>
/// <param name="Text">The key, without the suffix of a pair: the name that all protocols share.</param>
/// <param name="Shard">Null for a key that is not of LMCache.</param>
internal sealed record ClientKey(ByteText Text, ClientKeyPart Part, ShardKey? Shard)
{
    public static ReadOnlySpan<byte> ValueSuffix => "kv_bytes"u8;

    public static ReadOnlySpan<byte> NoteSuffix => "metadata"u8;

    /// <remarks>
    /// A suffix makes a pair only behind a key that LMCache's engine prints, since only its <c>redis://</c> writes pairs: a key of somebody else
    /// that ends so is a key like any other.
    /// </remarks>
    public static ClientKey Parse(ReadOnlySpan<byte> key)
    {
        if (TryCut(key, ValueSuffix, ClientKeyPart.PairValue) is { } value)
        {
            return value;
        }
        return TryCut(key, NoteSuffix, ClientKeyPart.PairNote) ?? new ClientKey(new ByteText(key), ClientKeyPart.Whole, ShardKey.TryParse(key));
    }

    private static ClientKey? TryCut(ReadOnlySpan<byte> key, ReadOnlySpan<byte> suffix, ClientKeyPart part) =>
        key.EndsWith(suffix) && ShardKey.TryParse(key[..^suffix.Length]) is { IsOfEngine: true } shard
            ? new ClientKey(new ByteText(key[..^suffix.Length]), part, shard)
            : null;
}
