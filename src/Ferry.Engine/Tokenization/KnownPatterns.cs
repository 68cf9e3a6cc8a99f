using System.Text.RegularExpressions;

namespace Ferry.Engine.Tokenization;

/// <summary>The patterns that most models share, compiled into the program: building one at run time costs a tenth of a second at every start.</summary>
internal static partial class KnownPatterns
{
    /// <summary>GPT-2's split, which ByteLevel applies when <c>use_regex</c> is set.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Qwen =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>A pattern comes from a model directory and may backtrack without end. Ordinary text takes milliseconds a megabyte.</summary>
    public const int MatchTimeoutMilliseconds = 5_000;

    /// <exception cref="ArgumentException">Not a pattern that .NET's regular expressions can run.</exception>
    public static Regex Get(string pattern) => pattern switch
    {
        Gpt2 => Gpt2Regex(),
        Llama3 => Llama3Regex(),
        Qwen => QwenRegex(),
        _ => new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, TimeSpan.FromMilliseconds(MatchTimeoutMilliseconds)),
    };

    [GeneratedRegex(Gpt2, RegexOptions.CultureInvariant, MatchTimeoutMilliseconds)]
    private static partial Regex Gpt2Regex();

    [GeneratedRegex(Llama3, RegexOptions.CultureInvariant, MatchTimeoutMilliseconds)]
    private static partial Regex Llama3Regex();

    [GeneratedRegex(Qwen, RegexOptions.CultureInvariant, MatchTimeoutMilliseconds)]
    private static partial Regex QwenRegex();
}
