namespace Ferry.Cache.Remote.Resp;

/// <summary>A command typed as a line: words between blanks, in double quotes with escapes, or in single quotes, as Redis reads them.</summary>
internal static class InlineArguments
{
    /// <summary>Unquotes in place: what an argument means is never longer than how it is written.</summary>
    /// <param name="add">Offset and length of each argument.</param>
    /// <returns>False when quotes do not balance, or are not followed by a blank.</returns>
    public static bool TrySplit(Span<byte> line, Action<int, int> add)
    {
        var read = 0;
        while (true)
        {
            while (read < line.Length && IsBlank(line[read]))
            {
                read++;
            }
            if (read == line.Length)
            {
                return true;
            }
            var start = read;
            var write = read;
            while (read < line.Length && !IsBlank(line[read]))
            {
                var quote = line[read];
                if (quote is not ((byte)'"' or (byte)'\''))
                {
                    line[write++] = line[read++];
                }
                else if (!TryUnquote(line, quote, ref read, ref write))
                {
                    return false;
                }
            }
            add(start, write - start);
        }
    }

    private static bool TryUnquote(Span<byte> line, byte quote, ref int read, ref int write)
    {
        for (read++; read < line.Length; read++)
        {
            if (line[read] == quote)
            {
                read++;
                return read == line.Length || IsBlank(line[read]);
            }
            if (line[read] == (byte)'\\' && read + 1 < line.Length)
            {
                read++;
                line[write++] = quote == (byte)'"' ? Unescape(line, ref read) : SingleQuoted(line, ref read);
            }
            else
            {
                line[write++] = line[read];
            }
        }
        return false;
    }

    /// <summary>In single quotes only the quote itself can be escaped.</summary>
    private static byte SingleQuoted(ReadOnlySpan<byte> line, ref int read)
    {
        if (line[read] == (byte)'\'')
        {
            return (byte)'\'';
        }
        read--;
        return (byte)'\\';
    }

    private static byte Unescape(ReadOnlySpan<byte> line, ref int read)
    {
        if (line[read] == (byte)'x' && read + 2 < line.Length && char.IsAsciiHexDigit((char)line[read + 1]) && char.IsAsciiHexDigit((char)line[read + 2]))
        {
            read += 2;
            return (byte)((Nibble(line[read - 1]) << 4) | Nibble(line[read]));
        }
        return line[read] switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'a' => (byte)'\a',
            var other => other,
        };
    }

    private static int Nibble(byte digit) => digit <= (byte)'9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool IsBlank(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)'\v' or (byte)'\f' or 0;
}
