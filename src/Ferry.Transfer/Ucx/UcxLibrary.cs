using System.Runtime.InteropServices;
using System.Text;
using Ferry.Kv.Ucx;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>The libucp of this machine, if it has one. Loaded once, on first use.</summary>
internal sealed partial class UcxLibrary
{
    /// <summary>Names the file to load instead of the system's; not UCX_*, of which UCX itself warns when it does not know them.</summary>
    public const string PathVariable = "FERRY_UCX_LIB";

    private const string FileName = "libucp.so.0";

    private static readonly Lazy<(UcxLibrary? Library, string Reason)> Loaded = new(Load);

    private UcxLibrary(UcpApi api, string path, UcxVersion version, string release)
    {
        Api = api;
        Path = path;
        Version = version;
        Release = release;
    }

    public UcpApi Api { get; }

    /// <summary>What was loaded: the file's name, or <see cref="PathVariable"/>'s value.</summary>
    public string Path { get; }

    public UcxVersion Version { get; }

    /// <summary>With the third number, such as 1.13.1.</summary>
    public string Release { get; }

    /// <summary>The library, or null and a sentence that says why there is none and what to do.</summary>
    public static UcxLibrary? TryLoad(out string reason)
    {
        reason = Loaded.Value.Reason;
        return Loaded.Value.Library;
    }

    /// <exception cref="TransferConfigurationException">There is none; the message says what to do.</exception>
    public static UcxLibrary Require() => TryLoad(out var reason) ?? throw new TransferConfigurationException(reason);

    private static (UcxLibrary?, string) Load()
    {
        if (!OperatingSystem.IsLinux())
        {
            return (null, "UCX is for Linux; this is another system.");
        }
        var wanted = Environment.GetEnvironmentVariable(PathVariable);
        var path = string.IsNullOrEmpty(wanted) ? FileName : wanted;
        SetBeforeLoading();
        try
        {
            LoadNeighbours(path);
            var handle = NativeLibrary.Load(path);
            return Bind(handle, path);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            return (null, (wanted, exception) switch
            {
                (_, EntryPointNotFoundException) => $"{path} is no libucp of UCX 1.13 or later: {exception.Message}",
                ({ Length: > 0 }, _) => $"{PathVariable} is '{path}', which cannot be loaded ({FirstLine(exception.Message)}). Give the path of a {FileName}, or unset it.",
                _ => $"{FileName} is not on this machine. Debian and Ubuntu: apt-get install libucx0; ROCm and Gaudi images bring their own, name it with {PathVariable}.",
            });
        }
    }

    private static unsafe (UcxLibrary?, string) Bind(nint handle, string path)
    {
        var api = new UcpApi(handle);
        uint major, minor, release;
        api.GetVersion(&major, &minor, &release);
        var version = new UcxVersion((int)major, (int)minor);
        // Fields, names and behaviour that this code counts on were compared from 1.13 on.
        return version < UcxVersion.Oldest
            ? (null, $"{path} is UCX {major}.{minor}.{release}; at least {UcxVersion.Oldest} is needed.")
            : (new UcxLibrary(api, path, version, $"{major}.{minor}.{release}"), string.Empty);
    }

    // A libucp in a folder of its own finds its sisters only by its RPATH; loaded first, they are taken by their names.
    private static void LoadNeighbours(string path)
    {
        if (System.IO.Path.GetDirectoryName(path) is not { Length: > 0 } folder)
        {
            return;
        }
        foreach (var name in (string[])["libucm.so.0", "libucs.so.0", "libuct.so.0"])
        {
            NativeLibrary.TryLoad(System.IO.Path.Combine(folder, name), out _);
        }
    }

    // UCX reads these when it is loaded. Its handlers for SIGSEGV and the like would turn every null reference of managed code, which the
    // runtime makes an exception of such a signal, into the end of the process; its log goes to stdout, where programs write results.
    private static void SetBeforeLoading()
    {
        _ = SetEnvironment("UCX_HANDLE_ERRORS", "none", 0);
        _ = SetEnvironment("UCX_ERROR_SIGNALS", "", 0);
        _ = SetEnvironment("UCX_LOG_FILE", "stderr", 0);
        // Reads over tcp are served in segments: 64 KiB is eight times UCX's own, and what every receiver takes; a larger one overruns peers
        // with the default. By the environment, since releases differ in the name that ucp_config_modify takes for it.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("UCX_TCP_RX_SEG_SIZE")))
        {
            _ = SetEnvironment("UCX_TCP_TX_SEG_SIZE", "64k", 0);
        }
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();

    // The runtime's own environment is a copy that native code does not see.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    /// <summary>What a UCX function prints into the FILE* that it is given.</summary>
    /// <param name="print">Called with an open stream.</param>
    internal static unsafe string Printed(Action<nint> print)
    {
        byte* text = null;
        nuint bytes = 0;
        var stream = OpenMemoryStream(&text, &bytes);
        if (stream == 0)
        {
            return string.Empty;
        }
        print(stream);
        _ = CloseStream(stream);
        try
        {
            return Encoding.UTF8.GetString(text, (int)Math.Min(bytes, 1 << 20));
        }
        finally
        {
            NativeMemory.Free(text); // malloc's
        }
    }

    [LibraryImport("libc", EntryPoint = "open_memstream")]
    private static unsafe partial nint OpenMemoryStream(byte** text, nuint* bytes);

    [LibraryImport("libc", EntryPoint = "fclose")]
    private static partial int CloseStream(nint stream);
}
