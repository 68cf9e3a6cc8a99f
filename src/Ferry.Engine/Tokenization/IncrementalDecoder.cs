namespace Ferry.Engine.Tokenization;

/// <summary>Decodes one sequence token by token. Not thread-safe.</summary>
public sealed class IncrementalDecoder
{
    /// <summary>Text that became certain with this token: whole UTF-8 characters, often empty.</summary>
    public string Append(int tokenId) => throw new NotImplementedException();

    /// <summary>What is left at the end: U+FFFD for an unfinished character, else empty.</summary>
    public string Flush() => throw new NotImplementedException();
}
