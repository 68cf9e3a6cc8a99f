using System.Globalization;
using System.Text;
using Ferry.Cache.Tiers;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Peers;

/// <summary>How keys and records are named between exchanges, in words of RESP. docs/wire/peers.md</summary>
internal static class PeerWire
{
    public const int Version = 1;

    /// <summary>Keys of one question. With the longest salts they fill some 230 KiB of the 256 that a command may have.</summary>
    public const int KeysMax = 1024;

    /// <summary>Bytes of one key's records in an answer: as many as a chunk may have, each at most 64 bytes of name, a blank, ten digits, a blank.</summary>
    public const int AnswerBytesMax = Records.RecordStore.MaxRecordsPerChunk * 80;

    private const int ModelDigits = 32;

    /// <summary><c>MODEL:HASH:SALT</c>, the first two in lower-case hex.</summary>
    public static string OfKey(in KvKey key) => $"{key.Model.ToString("x32", CultureInfo.InvariantCulture)}:{key.Hash}:{key.Salt}";

    public static bool TryReadKey(ReadOnlySpan<byte> bytes, out KvKey key)
    {
        key = default;
        if (bytes.Length > ModelDigits + 1 + (2 * ChunkHash.MaxBytes) + 1 + KvRecord.MaxSaltBytes)
        {
            return false;
        }
        var text = Encoding.UTF8.GetString(bytes).AsSpan();
        if (text.Length <= ModelDigits || text[ModelDigits] != ':' || !UInt128.TryParse(text[..ModelDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var model))
        {
            return false;
        }
        text = text[(ModelDigits + 1)..];
        var end = text.IndexOf(':');
        if (end < 0 || ChunkHash.TryParse(text[..end]) is not { } hash)
        {
            return false;
        }
        key = new KvKey(text[(end + 1)..].ToString(), model, hash);
        return true;
    }

    /// <summary><c>NAME BYTES NAME BYTES …</c>, names as in <see cref="RecordPath"/>.</summary>
    public static byte[] OfRecords(IEnumerable<(KvLayout Layout, int RecordBytes)> records)
    {
        var text = new StringBuilder();
        foreach (var (layout, bytes) in records.Take(Records.RecordStore.MaxRecordsPerChunk))
        {
            text.Append(text.Length == 0 ? "" : " ").Append(RecordPath.OfShard(layout)).Append(' ').Append(bytes.ToString(CultureInfo.InvariantCulture));
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <returns>Each record once; null for what <see cref="OfRecords"/> does not write.</returns>
    public static IReadOnlyList<TierRecord>? TryReadRecords(in KvKey key, string answer)
    {
        if (answer.Length == 0)
        {
            return [];
        }
        var words = answer.Split(' ');
        var chunk = RecordPath.OfChunk(key);
        var records = new Dictionary<string, TierRecord>(StringComparer.Ordinal);
        for (var index = 0; index < words.Length; index += 2)
        {
            if (index + 1 == words.Length || !RecordPath.TryParse(words[index], out var name)
                || !int.TryParse(words[index + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) || bytes < KvRecord.HeaderBytes)
            {
                return null;
            }
            records[words[index]] = new TierRecord(key, name.Family, name.FirstHead, name.Heads, name.ModelHeads, bytes, $"{chunk}/{words[index]}");
        }
        return [.. records.Values];
    }

    /// <summary>The record's name within its chunk.</summary>
    public static string ShardOf(TierRecord record) => record.Location[(record.Location.LastIndexOf('/') + 1)..];
}
