using System.Globalization;

namespace Ferry.Cluster.Sources;

/// <summary>A value and where it was written: quotes and escapes are gone from the value, and each of its characters still knows its place.</summary>
/// <remarks>
/// A whole file, a fenced block, a heredoc, a YAML scalar and a shell word are all of this kind, so that a reader of one language can read a
/// text inside another (JSON in a shell word in a Markdown page) and its findings still point at the right line of the outermost file.
/// </remarks>
internal sealed class SourcedText
{
    /// <summary>Per character its offset in the file; null when the value stands in the file as it is.</summary>
    private readonly int[]? _offsets;

    /// <param name="value">Unquoted, unescaped, variables replaced where their value is known.</param>
    /// <param name="span">All of it, quotes included.</param>
    /// <param name="offsets">One per character of <paramref name="value"/>; null if the value is <paramref name="span"/>'s text.</param>
    /// <param name="hasUnknown">A part could not be known: see <see cref="HasUnknown"/>.</param>
    public SourcedText(string value, SourceSpan span, int[]? offsets = null, bool hasUnknown = false)
    {
        if (offsets is not null && offsets.Length != value.Length)
        {
            throw new ArgumentException($"{offsets.Length} offsets for {value.Length} characters.", nameof(offsets));
        }
        if (offsets is null && value.Length != span.Length)
        {
            throw new ArgumentException($"A value of {value.Length} characters cannot be the {span.Length} characters of its span.", nameof(offsets));
        }
        Value = value;
        Span = span;
        HasUnknown = hasUnknown;
        _offsets = offsets;
    }

    public string Value { get; }

    /// <summary>All of it as written, quotes included.</summary>
    public SourceSpan Span { get; }

    /// <summary>
    /// A part is a placeholder (<c>&lt;node-ip&gt;</c>) or a variable that nothing sets; that part stands in <see cref="Value"/> as written.
    /// A rule compares such values but does not judge them.
    /// </summary>
    public bool HasUnknown { get; }

    public SourceFile File => Span.File;

    /// <summary>A whole file.</summary>
    public static SourcedText Of(SourceFile file) => new(file.Text, new SourceSpan(file, 0, file.Text.Length));

    /// <summary>What stands at a place, as it is.</summary>
    public static SourcedText Of(SourceSpan span) => new(span.Text, span);

    /// <summary>A value that is not written anywhere (a default that an image or a tool fills in), shown at the place it follows from.</summary>
    public static SourcedText Implied(string value, SourceSpan from)
    {
        var offsets = new int[value.Length];
        Array.Fill(offsets, from.Offset);
        return new SourcedText(value, from, offsets);
    }

    /// <summary>Where the character at <paramref name="index"/> stands in the file; the end of the value is allowed.</summary>
    public int OffsetAt(int index) => _offsets is null
        ? Span.Offset + index
        : index < _offsets.Length ? _offsets[index] : _offsets.Length > 0 ? _offsets[^1] + 1 : Span.Offset;

    /// <summary>Where a part of the value stands; the whole span if that part was put together from several places.</summary>
    public SourceSpan Slice(int start, int length)
    {
        start = Math.Clamp(start, 0, Value.Length);
        length = Math.Clamp(length, 0, Value.Length - start);
        if (length == 0) { return File.Span(OffsetAt(start), 0); }
        var first = OffsetAt(start);
        var last = OffsetAt(start + length - 1);
        // Escapes and line joins leave gaps; a jump backwards or far ahead is a variable's value from elsewhere.
        if (first == last && length > 1) { return Span; }   // implied by what stands there
        return last >= first && last - first < (2 * length) + 256 ? File.Span(first, last - first + 1) : Span;
    }

    /// <summary>A part of the value with its places.</summary>
    public SourcedText Part(int start, int length)
    {
        var value = Value.Substring(start, length);
        return _offsets is null
            ? new SourcedText(value, new SourceSpan(File, Span.Offset + start, length), null, HasUnknown)
            : new SourcedText(value, Slice(start, length), _offsets[start..(start + length)], HasUnknown);
    }

    /// <summary>Whether the part stands in the file character for character, so that an edit may replace it.</summary>
    public bool IsExact(int start, int length)
    {
        if (start < 0 || length < 0 || start + length > Value.Length) { return false; }
        var first = OffsetAt(start);
        for (var i = 0; i < length; i++)
        {
            if (OffsetAt(start + i) != first + i || first + i >= File.Text.Length || File.Text[first + i] != Value[start + i]) { return false; }
        }
        return true;
    }

    /// <summary>The value without quotes around it, as an exact span to replace; null if it was put together from several places.</summary>
    public SourceSpan? TryExact() => IsExact(0, Value.Length) ? File.Span(OffsetAt(0), Value.Length) : null;

    /// <summary>A whole number, or null.</summary>
    public long? TryLong() => !HasUnknown && long.TryParse(Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A finite number, or null.</summary>
    public double? TryDouble() =>
        !HasUnknown && double.TryParse(Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    public override string ToString() => Value;
}
