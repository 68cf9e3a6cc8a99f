using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Ferry.Kv.Hashing;

namespace Ferry.Kv.Keys;

/// <summary>Key of LMCache inside the engine: <c>model@world@worker@hash@dtype[@layer][@tag%value…]</c>.</summary>
/// <remarks>
/// The peer's grammar has no escapes, so <c>@</c> cannot stand in any part. A hash of 8 bytes is Python's signed integer and prints
/// as such, with a minus and without leading zeros; any other prints as hex. Equality is by every part, order of tags included:
/// that is what the peer's string compares. docs/wire/keys.md
/// </remarks>
public sealed class LmCacheKey : IEquatable<LmCacheKey>
{
    private static readonly FrozenSet<string> DTypes = FrozenSet.Create(StringComparer.Ordinal,
        "half", "bfloat16", "float", "double", "int8", "uint8", "int16", "int32", "int64", "bool",
        "fp8_e4m3fn", "fp8_e4m3fnuz", "fp8_e5m2", "fp8_e5m2fnuz");

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> DTypesBySpan = DTypes.GetAlternateLookup<ReadOnlySpan<char>>();

    private readonly string _text;

    /// <exception cref="ArgumentException">A part that would not read back, named with its value.</exception>
    public LmCacheKey(
        string model, int worldSize, int workerId, ChunkHash hash, string? dtype,
        int? layer = null, IReadOnlyList<LmCacheTag>? tags = null, string? format = null)
    {
        Require(KeyText.IsPart(model), nameof(model), model, "is not empty and holds no '@' and no control character");
        Require(KeyText.IsNumber(worldSize), nameof(worldSize), worldSize, "lies in 0..999999");
        Require(KeyText.IsNumber(workerId), nameof(workerId), workerId, "lies in 0..999999");
        Require(hash.ByteCount is 8 or 16 or 32, nameof(hash), hash, "has 8, 16 or 32 bytes");
        Require(dtype is null ? format is not null && layer is null && tags is null or [] : DTypes.Contains(dtype), nameof(dtype), dtype,
            $"is one of {string.Join(", ", DTypes.Order(StringComparer.Ordinal))}");
        Require(layer is null || KeyText.IsNumber(layer.Value), nameof(layer), layer, "lies in 0..999999");
        Require(format is null || KeyText.IsPart(format), nameof(format), format, "is not empty and holds no '@' and no control character");
        foreach (var tag in tags ?? [])
        {
            Require(tag.IsPrintable, nameof(tags), tag, "is NAME%VALUE without '@' and control characters");
        }
        Model = model;
        WorldSize = worldSize;
        WorkerId = workerId;
        Hash = hash;
        DType = dtype;
        Layer = layer;
        Tags = tags ?? [];
        Format = format;
        _text = Print();
        Require(_text.Length <= KeyText.MaxCharacters, nameof(model), model, $"leaves the key at most {KeyText.MaxCharacters} characters long");
    }

    /// <summary>Of parts that were read out of <paramref name="text"/>: they print as it.</summary>
    private LmCacheKey(
        string text, string model, int worldSize, int workerId, ChunkHash hash, string? dtype, int? layer, IReadOnlyList<LmCacheTag> tags, string? format)
    {
        (_text, Model, WorldSize, WorkerId, Hash) = (text, model, worldSize, workerId, hash);
        (DType, Layer, Tags, Format) = (dtype, layer, tags, format);
    }

    public string Model { get; }

    /// <summary>Tensor-parallel ranks of the writer; 1 where one rank writes for all (MLA).</summary>
    public int WorldSize { get; }

    /// <summary>The writer's global rank; with MLA it may be at or above <see cref="WorldSize"/>.</summary>
    public int WorkerId { get; }

    public ChunkHash Hash { get; }

    /// <summary>LMCache's name of the KV element type; null only in the form of June 2025.</summary>
    public string? DType { get; }

    /// <summary>0-based; null unless the writer stores layer by layer.</summary>
    public int? Layer { get; }

    public IReadOnlyList<LmCacheTag> Tags { get; }

    /// <summary>The leading word of older generations, such as <c>vllm</c>; null in the current one.</summary>
    public string? Format { get; }

    public LmCacheKeyForm Form => Format is null ? LmCacheKeyForm.Current
        : DType is null ? LmCacheKeyForm.FormatFirstWithoutDType : LmCacheKeyForm.FormatFirst;

    /// <summary>Names of the element types that LMCache prints.</summary>
    public static IReadOnlyCollection<string> KnownDTypes => DTypes;

    /// <summary>LMCache's name for an element type given as LMCache, vLLM or PyTorch spell it, or null.</summary>
    public static string? TryDTypeName(string name) => name switch
    {
        "float16" or "fp16" => "half",
        "bf16" => "bfloat16",
        "float32" or "fp32" => "float",
        "float64" => "double",
        "fp8" or "float8_e4m3fn" or "fp8_e4m3" => "fp8_e4m3fn",
        "float8_e4m3fnuz" => "fp8_e4m3fnuz",
        "float8_e5m2" => "fp8_e5m2",
        "float8_e5m2fnuz" => "fp8_e5m2fnuz",
        _ => DTypes.Contains(name) ? name : null,
    };

    /// <summary>Reads a key of any generation, or null if it is not one to the letter; such a key is to be kept as opaque bytes.</summary>
    public static LmCacheKey? TryParse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > KeyText.MaxCharacters)
        {
            return null;
        }
        Span<char> text = stackalloc char[utf8.Length];
        return KeyText.TryDecode(utf8, text, out var characters) ? TryParse(text[..characters]) : null;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte})"/>
    public static LmCacheKey? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length > KeyText.MaxCharacters)
        {
            return null;
        }
        var parts = new KeyParts(text, stackalloc Range[KeyParts.UsualCount]);
        // No text fits two forms: where one has its hash, another has a type name, and no type name is made of hex digits.
        return TryParse(text, parts, hasFormat: false) ?? TryParse(text, parts, hasFormat: true);
    }

    public bool Equals(LmCacheKey? other) => other is not null && _text == other._text;

    public override bool Equals(object? obj) => Equals(obj as LmCacheKey);

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The key as the peer prints it.</summary>
    public override string ToString() => _text;

    private static LmCacheKey? TryParse(ReadOnlySpan<char> text, KeyParts parts, bool hasFormat)
    {
        var first = hasFormat ? 1 : 0;
        if (parts.Count < first + 4
            || KeyText.TryNumber(parts[first + 1]) is not { } worldSize // The numbers first: they tell a key of somebody else soonest.
            || KeyText.TryNumber(parts[first + 2]) is not { } workerId
            || (hasFormat && !KeyText.IsPart(parts[0]))
            || !KeyText.IsPart(parts[first])
            || TryHash(parts[first + 3]) is not { } hash)
        {
            return null;
        }
        var format = hasFormat ? parts[0].ToString() : null;
        var model = parts[first].ToString();
        var next = first + 4;
        if (next == parts.Count)
        {
            return hasFormat ? new LmCacheKey(text.ToString(), model, worldSize, workerId, hash, null, null, [], format) : null;
        }
        if (!DTypesBySpan.TryGetValue(parts[next++], out var dtype))
        {
            return null;
        }
        int? layer = null;
        if (next < parts.Count && KeyText.TryNumber(parts[next]) is { } number)
        {
            layer = number;
            next++;
        }
        var tags = new LmCacheTag[parts.Count - next];
        for (var i = 0; i < tags.Length; i++)
        {
            if (LmCacheTag.TryParse(parts[next + i]) is not { } tag)
            {
                return null;
            }
            tags[i] = tag;
        }
        return new LmCacheKey(text.ToString(), model, worldSize, workerId, hash, dtype, layer, tags, format);
    }

    /// <summary>16 or 32 bytes in hex, or Python's <c>format(n, 'x')</c> of a signed 64-bit number.</summary>
    private static ChunkHash? TryHash(ReadOnlySpan<char> text)
    {
        if (KeyText.TryHash(text, 16) is { } half)
        {
            return half;
        }
        if (KeyText.TryHash(text, 32) is { } whole)
        {
            return whole;
        }
        var negative = text.StartsWith('-');
        var digits = negative ? text[1..] : text;
        if (digits.Length is 0 or > 16 || digits.StartsWith('0') && (digits.Length > 1 || negative)
            || !KeyText.IsLowerHex(digits)
            || !ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var magnitude)
            || magnitude > long.MaxValue + (negative ? 1ul : 0ul))
        {
            return null;
        }
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, negative ? 0 - magnitude : magnitude);
        return new ChunkHash(bytes);
    }

    private static string HashText(in ChunkHash hash)
    {
        if (hash.ByteCount != sizeof(long))
        {
            return hash.ToString();
        }
        var value = BinaryPrimitives.ReadInt64BigEndian(hash.Bytes);
        return value >= 0 ? value.ToString("x", CultureInfo.InvariantCulture) : $"-{0 - (ulong)value:x}";
    }

    private static void Require(bool holds, string name, object? value, string rule)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} is '{value}'; a key needs one that {rule}.", name);
        }
    }

    private string Print()
    {
        var text = new StringBuilder();
        if (Format is not null)
        {
            text.Append(Format).Append(KeyText.Separator);
        }
        text.Append(CultureInfo.InvariantCulture, $"{Model}@{WorldSize}@{WorkerId}@{HashText(Hash)}");
        if (DType is not null)
        {
            text.Append(KeyText.Separator).Append(DType);
        }
        if (Layer is { } layer)
        {
            text.Append(CultureInfo.InvariantCulture, $"@{layer}");
        }
        foreach (var tag in Tags)
        {
            text.Append(KeyText.Separator).Append(tag.Name).Append('%').Append(tag.Value);
        }
        return text.ToString();
    }
}
