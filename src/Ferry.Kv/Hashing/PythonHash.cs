using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Ferry.Kv.Hashing;

/// <summary>CPython's <c>hash()</c> of integers, text and tuples (64-bit builds, 3.8 and later; text 3.11 and later).</summary>
internal static class PythonHash
{
    /// <summary><c>hash(None)</c> from CPython 3.12 on. Earlier it is the object's address, which no one else can know.</summary>
    public const long None = 0xFCA86420;

    /// <summary><c>hash(())</c>.</summary>
    public static readonly long EmptyTuple = Finish(Prime5, 0);

    // Objects/tupleobject.c: xxHash's primes.
    private const ulong Prime1 = 11400714785074694791;
    private const ulong Prime2 = 14029467366897019727;
    private const ulong Prime5 = 2870177450012600261;
    private const long Modulus = (1L << 61) - 1;   // _PyHASH_MODULUS

    /// <summary><c>hash(value)</c>: modulo 2^61-1 with the sign kept, and never -1, which CPython keeps for errors.</summary>
    public static long Integer(long value)
    {
        var hash = value % Modulus;
        return hash == -1 ? -2 : hash;
    }

    /// <summary><c>hash(tuple(tokens))</c>.</summary>
    public static long Tokens<T>(ReadOnlySpan<T> tokens) where T : unmanaged, IBinaryInteger<T>
    {
        var sum = Prime5;
        foreach (var token in tokens)
        {
            var value = long.CreateTruncating(token);
            sum = Lane(sum, (ulong)value < Modulus ? value : Integer(value));   // an id of the usual range is its own hash
        }
        return Finish(sum, tokens.Length);
    }

    /// <summary><c>hash((a, b))</c> of two objects with these hashes.</summary>
    public static long Pair(long first, long second) => Finish(Lane(Lane(Prime5, first), second), 2);

    /// <summary><c>hash((a, b, c))</c> of three objects with these hashes.</summary>
    public static long Triple(long first, long second, long third) => Finish(Lane(Lane(Lane(Prime5, first), second), third), 3);

    /// <summary><c>hash(text)</c> in a process that was started with PYTHONHASHSEED=<paramref name="hashSeed"/>.</summary>
    /// <param name="text">Latin-1, which CPython hashes one byte a character.</param>
    public static long Text(string text, uint hashSeed)
    {
        if (text.Length == 0)
        {
            return 0;
        }
        var (key0, key1) = Key(hashSeed);
        var hash = (long)SipHash13.Hash(key0, key1, Encoding.Latin1.GetBytes(text));
        return hash == -1 ? -2 : hash;
    }

    /// <summary>Python/bootstrap_hash.c: 0 turns randomization off, any other seed fills the secret by a linear congruence.</summary>
    private static (ulong Key0, ulong Key1) Key(uint hashSeed)
    {
        Span<byte> secret = stackalloc byte[16];
        if (hashSeed != 0)
        {
            var state = hashSeed;
            foreach (ref var value in secret)
            {
                state = unchecked(state * 214013 + 2531011);
                value = (byte)(state >> 16);
            }
        }
        else
        {
            secret.Clear();
        }
        return (BinaryPrimitives.ReadUInt64LittleEndian(secret), BinaryPrimitives.ReadUInt64LittleEndian(secret[8..]));
    }

    private static ulong Lane(ulong sum, long hash) =>
        BitOperations.RotateLeft(unchecked(sum + (ulong)hash * Prime2), 31) * Prime1;

    private static long Finish(ulong sum, int count)
    {
        sum = unchecked(sum + ((ulong)count ^ (Prime5 ^ 3527539)));
        return sum == ulong.MaxValue ? 1546275796 : (long)sum;   // tuplehash: never -1
    }
}
