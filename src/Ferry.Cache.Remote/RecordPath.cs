using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote;

/// <summary>Where a record lies under a shared tier's root: <c>model/salt/ha/hash/first-heads-of-family.kv</c>, with a slash on every system.</summary>
/// <remarks>
/// Every part is made of hex digits and numbers that this class prints, so that no salt or hash can lead out of the root. The chunk's own
/// directory makes finding all its shards one listing; the two digits before it keep directories small.
/// </remarks>
internal static class RecordPath
{
    public const string Extension = ".kv";
    private const string NoSalt = "none";
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    /// <summary>First part of every path in a store: another format, one day, stands beside this one.</summary>
    public const string FormatDirectory = "ferry-kv-1";

    /// <summary>The chunk's directory, relative to the root.</summary>
    public static string OfChunk(in KvKey key)
    {
        var hash = key.Hash.ToString();
        var model = key.Model.ToString("x32", CultureInfo.InvariantCulture);
        return $"{model}/{SaltDigest(key.Salt)}/{hash[..2]}/{hash}";
    }

    /// <summary>The record's path, relative to the root.</summary>
    public static string OfRecord(KvRecordHeader header) => $"{OfChunk(header.Key)}/{OfShard(header.Layout)}";

    /// <summary>The record's file name inside the chunk's directory.</summary>
    public static string OfShard(KvLayout layout) =>
        $"{layout.FirstHead}-{layout.Heads}-{layout.ModelHeads}-{FamilyDigest(layout):x16}{Extension}";

    /// <summary>Reads a file name back; false for a file that is not ours.</summary>
    public static bool TryParse(string fileName, out ShardName name)
    {
        name = default;
        if (!fileName.EndsWith(Extension, StringComparison.Ordinal) || fileName.Length > 64)
        {
            return false;
        }
        var parts = fileName[..^Extension.Length].Split('-');
        if (parts.Length != 4 || !TryNumber(parts[0], out var first) || !TryNumber(parts[1], out var heads) || !TryNumber(parts[2], out var of)
            || parts[3].Length != 16 || !ulong.TryParse(parts[3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var family))
        {
            return false;
        }
        name = new ShardName(first, heads, of, family);
        return heads > 0 && (long)first + heads <= of && of <= KvLayout.MaxHeads && name.ToString() == fileName;
    }

    /// <summary>True for the path of a record, as <see cref="OfRecord"/> prints it.</summary>
    public static bool IsRecord(ReadOnlySpan<char> path)
    {
        Span<Range> parts = stackalloc Range[6];
        if (path.Length > 512 || path.Split(parts, '/') != 5)
        {
            return false;
        }
        var salt = path[parts[1]];
        var prefix = path[parts[2]];
        var hash = path[parts[3]];
        return IsHex(path[parts[0]], 32) && (salt is NoSalt || IsHex(salt, 32)) && hash.Length is >= 2 and <= 2 * Kv.Hashing.ChunkHash.MaxBytes
            && IsHex(hash, hash.Length) && hash.StartsWith(prefix, StringComparison.Ordinal) && prefix.Length == 2 && TryParse(path[parts[4]].ToString(), out _);
    }

    /// <summary>True when a record's path says that salt.</summary>
    public static bool IsOfSalt(ReadOnlySpan<char> path, string salt)
    {
        var rest = path[(path.IndexOf('/') + 1)..];
        return rest.IndexOf('/') is var end and >= 0 && rest[..end].SequenceEqual(SaltDigest(salt));
    }

    /// <summary>Equal for the shards of one chunk that belong together.</summary>
    public static ulong FamilyDigest(KvLayout layout)
    {
        var family = ShardCover.FamilyOf(layout);
        Span<byte> fields = stackalloc byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(fields, family.Layers);
        BinaryPrimitives.WriteInt32LittleEndian(fields[4..], family.ModelHeads);
        BinaryPrimitives.WriteInt32LittleEndian(fields[8..], family.HeadDim);
        BinaryPrimitives.WriteInt32LittleEndian(fields[12..], family.Tokens);
        BinaryPrimitives.WriteInt32LittleEndian(fields[16..], family.BlockTokens);
        (fields[20], fields[21], fields[22], fields[23]) =
            ((byte)family.DType, (byte)family.Order, (byte)family.Packing, family.BlockMajor ? (byte)1 : (byte)0);
        BinaryPrimitives.WriteSingleLittleEndian(fields[24..], family.Scale);
        fields[28..].Clear();
        return XxHash3.HashToUInt64(fields);
    }

    private static string SaltDigest(string salt) =>
        salt.Length == 0 ? NoSalt : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(salt)).AsSpan(0, 16));

    private static bool IsHex(ReadOnlySpan<char> text, int length) => text.Length == length && !text.ContainsAnyExcept(LowerHex);

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    /// <summary>What a file name says.</summary>
    internal readonly record struct ShardName(int FirstHead, int Heads, int ModelHeads, ulong Family)
    {
        public override string ToString() => $"{FirstHead}-{Heads}-{ModelHeads}-{Family:x16}{Extension}";
    }
}
