using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Text;

namespace Ferry.Kv.Records;

/// <summary>What the fixed-size header of a record says about the payload behind it.</summary>
/// <param name="Layout">Gives the payload's bytes their meaning; <see cref="KvLayout.Tokens"/> is the length of the token span.</param>
/// <param name="Model">Fingerprint of the model whose KV this is.</param>
/// <param name="FirstToken">Position of the span's first token in its sequence, 0-based.</param>
/// <param name="Hash">The chunk's chained hash.</param>
/// <param name="Salt">Keeps tenants apart; empty for none; at most <see cref="KvRecord.MaxSaltBytes"/> bytes of UTF-8.</param>
/// <param name="PayloadBytes">Always the layout's <see cref="KvLayout.PayloadBytes"/>.</param>
/// <param name="PayloadChecksum"><see cref="KvRecord.Checksum"/> of the payload.</param>
public sealed record KvRecordHeader(
    KvLayout Layout, UInt128 Model, int FirstToken, ChunkHash Hash, string Salt, long PayloadBytes, UInt128 PayloadChecksum)
{
    /// <summary>The key under which a client of another protocol stored the record, at most <see cref="KvRecord.MaxClientKeyBytes"/>; empty where <see cref="Key"/> is the only name.</summary>
    public ByteText ClientKey { get; init; }

    /// <summary>What that protocol keeps beside the value, such as LMCache's metadata record; at most <see cref="KvRecord.MaxClientNoteBytes"/>.</summary>
    public ByteText ClientNote { get; init; }

    /// <summary>The layout-independent name under which any rank and vendor finds this chunk.</summary>
    public KvKey Key => new(Salt, Model, Hash);

    /// <summary>Bytes of the whole record, header and payload.</summary>
    public long RecordBytes => KvRecord.HeaderBytes + PayloadBytes;

    /// <summary>Describes a payload that is already in place, its checksum included.</summary>
    /// <exception cref="KvLayoutException">The layout is none, or its <see cref="KvLayout.PayloadBytes"/> is not the payload's length.</exception>
    public static KvRecordHeader Describe(
        KvLayout layout, UInt128 model, int firstToken, ChunkHash hash, string salt, ReadOnlySpan<byte> payload)
    {
        layout.Validate();
        if (payload.Length != layout.PayloadBytes)
        {
            throw new KvLayoutException("Not the payload of this layout", [
                $"the payload has {payload.Length} bytes, {layout} has {layout.PayloadBytes}"]);
        }
        return new(layout, model, firstToken, hash, salt, payload.Length, KvRecord.Checksum(payload));
    }
}
