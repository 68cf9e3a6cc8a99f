using System.Security.Cryptography;
using System.Text;

namespace Ferry.Router.Security;

/// <summary>API keys: 32 random bytes, of which files keep a SHA-256. So much randomness needs no slow hash: it cannot be guessed.</summary>
public static class ApiKey
{
    /// <summary>Longest key that is hashed; a longer one is nobody's.</summary>
    public const int MaxLength = 512;
    private const int RandomBytes = 32;

    /// <summary>A new key and the entry of the key file for it.</summary>
    public static (string Key, string Entry) Create(string name)
    {
        var key = "fk-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes));
        return (key, $"  - {{name: {name}, sha256: {Hash(key)}}}");
    }

    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
