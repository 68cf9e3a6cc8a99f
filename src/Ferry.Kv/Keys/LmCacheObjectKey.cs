using System.Globalization;
using Ferry.Kv.Hashing;

namespace Ferry.Kv.Keys;

/// <summary>Key of LMCache's daemon ("MP mode") in its second tier: <c>model@kv_rank@group@hash[@salt]</c>.</summary>
/// <remarks>
/// kv_rank is eight hex digits, the group hex without leading zeros. LMCache of 2026-04 had no group yet:
/// <c>model@kv_rank@hash[@salt]</c>. A hash has at least 16 digits and a group at most 8, which tells the two apart.
/// Neither element type nor layout nor chunk size is in the key: two daemons that differ in one of them must not share a store.
/// </remarks>
public sealed class LmCacheObjectKey : IEquatable<LmCacheObjectKey>
{
    /// <summary>LMCache's own cap of <c>cache_salt</c>.</summary>
    public const int MaxSaltCharacters = 128;

    private readonly string _text;

    /// <param name="model">Model name, without <c>@</c>.</param>
    /// <param name="rank">The writing rank.</param>
    /// <param name="group">Object group, 0 for the usual one; null for the form without groups.</param>
    /// <param name="hash">8 (builtin), 16 or 32 bytes.</param>
    /// <param name="salt">Empty for none.</param>
    /// <exception cref="ArgumentException">A part that would not read back, named with its value.</exception>
    public LmCacheObjectKey(string model, KvRank rank, uint? group, ChunkHash hash, string salt = "")
    {
        ArgumentNullException.ThrowIfNull(salt);
        Require(KeyText.IsPart(model), nameof(model), model, "is not empty and holds no '@' and no control character");
        Require(hash.ByteCount is 8 or 16 or 32, nameof(hash), hash, "has 8, 16 or 32 bytes");
        Require(salt.Length == 0 || IsSalt(salt), nameof(salt), salt,
            $"has at most {MaxSaltCharacters} characters, none of them '@', '/', '\\' or a control character");
        Model = model;
        Rank = rank;
        Group = group;
        Hash = hash;
        Salt = salt;
        var groupText = group is { } number ? string.Create(CultureInfo.InvariantCulture, $"{number:x}@") : "";
        _text = string.Create(CultureInfo.InvariantCulture, $"{model}@{rank.Packed:x8}@{groupText}{hash}{(salt.Length == 0 ? "" : "@")}{salt}");
        Require(_text.Length <= KeyText.MaxCharacters, nameof(model), model, $"leaves the key at most {KeyText.MaxCharacters} characters long");
    }

    /// <summary>Of parts that were read out of <paramref name="text"/>: they print as it.</summary>
    private LmCacheObjectKey(string text, string model, KvRank rank, uint? group, ChunkHash hash, string salt) =>
        (_text, Model, Rank, Group, Hash, Salt) = (text, model, rank, group, hash, salt);

    public string Model { get; }

    public KvRank Rank { get; }

    public uint? Group { get; }

    public ChunkHash Hash { get; }

    public string Salt { get; }

    /// <summary>Reads a key of either form, or null if it is not one to the letter; such a key is to be kept as opaque bytes.</summary>
    public static LmCacheObjectKey? TryParse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > KeyText.MaxCharacters)
        {
            return null;
        }
        Span<char> text = stackalloc char[utf8.Length];
        return KeyText.TryDecode(utf8, text, out var characters) ? TryParse(text[..characters]) : null;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte})"/>
    public static LmCacheObjectKey? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length > KeyText.MaxCharacters)
        {
            return null;
        }
        var parts = new KeyParts(text, stackalloc Range[KeyParts.UsualCount]);
        if (parts.Count is < 3 or > 5 || KeyText.TryWideHex(parts[1]) is not { } packed || !KeyText.IsPart(parts[0]))
        {
            return null;
        }
        var group = KeyText.TryShortHex(parts[2]);
        var hashAt = group is null ? 2 : 3;
        if (parts.Count <= hashAt || parts.Count > hashAt + 2 || TryHash(parts[hashAt]) is not { } hash)
        {
            return null;
        }
        var salt = parts.Count == hashAt + 2 ? parts[hashAt + 1] : "";
        return parts.Count == hashAt + 1 || IsSalt(salt) ? new LmCacheObjectKey(text.ToString(), parts[0].ToString(), KvRank.FromPacked(packed), group, hash, salt.ToString()) : null;
    }

    public bool Equals(LmCacheObjectKey? other) => other is not null && _text == other._text;

    public override bool Equals(object? obj) => Equals(obj as LmCacheObjectKey);

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The key as the peer prints it.</summary>
    public override string ToString() => _text;

    private static ChunkHash? TryHash(ReadOnlySpan<char> text) => KeyText.TryHash(text, 32) ?? KeyText.TryHash(text, 16) ?? KeyText.TryHash(text, 8);

    private static bool IsSalt(ReadOnlySpan<char> salt) => salt.Length <= MaxSaltCharacters && KeyText.IsPart(salt) && !salt.ContainsAny('/', '\\');

    private static void Require(bool holds, string name, object? value, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} is '{value}'; a key needs one that {rule}.", name);
        }
    }
}
