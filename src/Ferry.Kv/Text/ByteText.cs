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

    public static bool operator ==(ByteText left, ByteText right) => left.Equals(right);

    public static bool operator !=(ByteText left, ByteText right) => !left.Equals(right);
}
