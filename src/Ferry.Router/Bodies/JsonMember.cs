namespace Ferry.Router.Bodies;

/// <summary>Where one member of a JSON object stands in its bytes.</summary>
/// <param name="Start">Index of the name's opening quote.</param>
/// <param name="NameLength">Bytes between the quotes, as they stand.</param>
/// <param name="ValueStart">Index of the value's first byte.</param>
/// <param name="End">Index behind the value.</param>
/// <param name="UnescapedName">Set when the name has escapes, so that "kv_transfer\u005fparams" is seen for what it is.</param>
internal readonly record struct JsonMember(int Start, int NameLength, int ValueStart, int End, byte[]? UnescapedName)
{
    /// <summary>The name without quotes and escapes.</summary>
    public ReadOnlySpan<byte> NameIn(ReadOnlySpan<byte> json) => UnescapedName ?? json.Slice(Start + 1, NameLength);
}
