using System.Globalization;
using System.Text;

namespace Ferry.Cli.Commands;

/// <summary>Reads token ids that a user typed or keeps in a file: numbers between commas, blanks or line ends, as a JSON array too.</summary>
internal static class TokenList
{
    /// <summary>Beyond any context window; bounds what a wrong file can cost.</summary>
    public const int MaxTokens = 4 * 1024 * 1024;

    private const long MaxFileBytes = 64 * 1024 * 1024;
    private const int MaxShownCharacters = 32;

    /// <param name="source">Where the text comes from, for errors: an option or a path.</param>
    /// <exception cref="UsageException">The first thing that is not a token id, with its position.</exception>
    public static int[] Parse(string text, string source)
    {
        var rest = text.AsSpan().Trim();
        if (rest.StartsWith("[") && rest.EndsWith("]"))
        {
            rest = rest[1..^1];
        }
        var tokens = new List<int>();
        while (!(rest = rest.TrimStart()).IsEmpty)
        {
            var end = rest.IndexOfAny(", \t\r\n");
            var word = end < 0 ? rest : rest[..end];
            tokens.Add(ParseOne(word, tokens.Count, source));
            if (tokens.Count > MaxTokens)
            {
                throw new UsageException($"{source} has more than {MaxTokens} tokens, which no context window holds.");
            }
            rest = rest[word.Length..].TrimStart();
            if (rest.StartsWith(","))
            {
                rest = rest[1..];
            }
        }
        return tokens.Count > 0 ? [.. tokens] : throw new UsageException($"{source} holds no token ids. Give some, such as 128000,9906,1917.");
    }

    /// <exception cref="UsageException">The file cannot be read, or does not hold token ids.</exception>
    public static int[] Read(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                throw new UsageException($"--tokens-file {path} is a directory; name a text file of token ids.");
            }
            using var file = File.OpenRead(path);
            using var text = new MemoryStream();
            var buffer = new byte[64 * 1024];
            for (int read; (read = file.Read(buffer)) > 0;)   // counted as it comes: a device or pipe has no length to check
            {
                if (text.Length + read > MaxFileBytes)
                {
                    throw new UsageException($"--tokens-file {path} is longer than {MaxFileBytes} bytes, more than token ids of any prompt take.");
                }
                text.Write(buffer, 0, read);
            }
            return Parse(Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--tokens-file {path} cannot be read: {exception.Message}");
        }
    }

    private static int ParseOne(ReadOnlySpan<char> word, int position, string source)
    {
        if (int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var token) && token >= 0 && !word.Contains('\0'))
        {
            return token;
        }
        // The file may be anything, so nothing of it reaches the terminal but plain characters.
        var shown = word.Length == 0 ? "nothing"
            : $"'{string.Concat(word[..Math.Min(word.Length, MaxShownCharacters)].ToArray().Select(c => c is > ' ' and <= '~' ? c : '?'))}'";
        var isNegative = word.StartsWith("-");
        var reason = word.Length == (isNegative ? 1 : 0) || word[(isNegative ? 1 : 0)..].ContainsAnyExceptInRange('0', '9') ? "is not a number"
            : isNegative ? "is negative" : "does not fit 31 bits";
        throw new UsageException($"{source}: {shown} at position {position} (from 0) {reason}; a token id is a number in 0..{int.MaxValue}.");
    }
}
