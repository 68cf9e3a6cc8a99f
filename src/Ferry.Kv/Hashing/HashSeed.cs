using System.Globalization;

namespace Ferry.Kv.Hashing;

/// <summary>The text of the environment variable <c>PYTHONHASHSEED</c>, from which vLLM and LMCache make the root of a chain.</summary>
/// <remarks>
/// vLLM hashes the text, not the number; unset, it draws 32 random bytes at every start, so that no other process, and not even
/// the same one after a restart, finds its chunks. CPython starts only with an integer in 0…4294967295, "random", or nothing.
/// </remarks>
internal static class HashSeed
{
    /// <summary>Longest text that CPython would start with; "4294967295" has ten, and leading zeros are allowed.</summary>
    public const int MaxCharacters = 32;

    /// <summary>The text if a CBOR chain can start from it.</summary>
    /// <exception cref="ChunkHashException">Unset, or a text with which Python does not start.</exception>
    public static string Require(string algorithm, string? hashSeed)
    {
        if (hashSeed is null)
        {
            throw new ChunkHashException($"{algorithm} needs the hash seed: with PYTHONHASHSEED unset, vLLM and LMCache start every " +
                "process from 32 random bytes, and no other process can make or find its keys. Set PYTHONHASHSEED (0 is usual) to the " +
                "same value everywhere, and give that value here.");
        }
        if (hashSeed is not ("" or "random") && TryNumber(hashSeed) is null)
        {
            throw new ChunkHashException($"Hash seed '{Shorten(hashSeed)}' is not a PYTHONHASHSEED: Python starts with an integer in " +
                "0..4294967295 (or 'random').");
        }
        return hashSeed;
    }

    /// <summary>The seed as a number, or null if it is not one that CPython accepts.</summary>
    public static uint? TryNumber(string hashSeed) =>
        hashSeed.Length is > 0 and <= MaxCharacters && hashSeed.All(char.IsAsciiDigit)   // .NET's parser would let trailing NULs pass
        && uint.TryParse(hashSeed, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static string Shorten(string text) => text.Length <= MaxCharacters ? text : text[..MaxCharacters] + "…";
}
