using System.Globalization;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>Where something listens.</summary>
/// <param name="Port">0: any free one.</param>
public sealed record ListenAddress(string Host, int Port)
{
    public bool IsLoopback => Host is "localhost" || (System.Net.IPAddress.TryParse(Host, out var address) && System.Net.IPAddress.IsLoopback(address));

    /// <summary>Reads HOST:PORT, [V6]:PORT, or "off" (null).</summary>
    internal static ListenAddress? Read(SettingValue value, ListenAddress? fallback)
    {
        if (value.Text is "off" or "none")
        {
            return null;
        }
        var colon = value.Text.LastIndexOf(':');
        var host = colon < 0 ? "" : value.Text[..colon].Trim('[', ']');
        if (host.Length == 0 || !int.TryParse(value.Text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > 65_535)
        {
            value.Error($"{value.Name} is '{value.Text}'; write HOST:PORT with a port in 0..65535 (0 takes a free one), for example 127.0.0.1:6390, or off.");
            return fallback;
        }
        return new ListenAddress(host, port);
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
