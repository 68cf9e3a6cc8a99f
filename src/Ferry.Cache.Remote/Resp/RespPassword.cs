using System.Security.Cryptography;
using System.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>The front's one user and its password. Comparing takes the same time whatever is wrong; only the digest is kept.</summary>
internal sealed class RespPassword(string user, string password)
{
    private readonly byte[] _user = SHA256.HashData(Encoding.UTF8.GetBytes(user));
    private readonly byte[] _password = SHA256.HashData(Encoding.UTF8.GetBytes(password));

    /// <summary>Redis' name for who says a password and no name.</summary>
    public static ReadOnlySpan<byte> DefaultUser => "default"u8;

    public bool Matches(ReadOnlySpan<byte> user, ReadOnlySpan<byte> password) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(user), _user) & CryptographicOperations.FixedTimeEquals(SHA256.HashData(password), _password);
}
