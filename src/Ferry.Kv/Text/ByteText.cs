using System.Globalization;
using System.Text;

namespace Ferry.Kv.Text;

/// <summary>A few bytes compared by value, such as the key that a client of another protocol chose. Immutable; the default is empty.</summary>
public readonly struct ByteText : IEquatable<ByteText>
{
    private readonly byte[]? _bytes;

    public ByteText(ReadOnlySpan<byte> bytes) => _bytes = bytes.IsEmpty ? null : bytes.ToArray();

    public int Length => _bytes?.Length ?? 0;

    public bool IsEmpty => _bytes is null;

    public ReadOnlySpan<byte> Span => _bytes;

    public bool Equals(ByteText other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is ByteText other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    /// <summary>Printable ASCII as it is; any other byte, and the backslash, as <c>\xHH</c>: safe in logs and terminals, and readable back.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Length);
        foreach (var value in Span)
        {
            if (value is >= 0x20 and < 0x7F and not (byte)'\\')
            {
                text.Append((char)value);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
            }
        }
        return text.ToString();
    }

    /// <summary>Reads what <see cref="ToString"/> writes; other characters stand for their UTF-8.</summary>
    /// <returns>False when a backslash begins no <c>\xHH</c>.</returns>
    public static bool TryParse(string text, out ByteText parsed)
    {
        var bytes = new List<byte>(text.Length);
        for (var index = 0; index < text.Length;)
        {
            if (text[index] == '\\')
            {
                if (index + 4 > text.Length || text[index + 1] != 'x' || !byte.TryParse(text.AsSpan(index + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                {
                    parsed = default;
                    return false;
                }
                bytes.Add(value);
                index += 4;
                continue;
            }
            var length = index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1]) ? 2 : 1;
            bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(index, length)));
            index += length;
        }
        parsed = new ByteText(bytes.ToArray());
        return true;
    }

    public static bool operator ==(ByteText left, ByteText right) => left.Equals(right);

    public static bool operator !=(ByteText left, ByteText right) => !left.Equals(right);
}
