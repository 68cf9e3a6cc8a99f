using System.Diagnostics;

namespace Ferry.Benchmarks.Router;

/// <summary>Peers that come from Debian, by name; installed where this process may, else the table says that they are missing.</summary>
internal static class DebianPackages
{
    /// <param name="file">What the package brings.</param>
    public static bool Ensure(string package, string file)
    {
        if (Path.Exists(file))
        {
            return true;
        }
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/bin/apt-get"))
        {
            return false;
        }
        _ = Run("update", "-qq") && Run("install", "-y", "-qq", "--no-install-recommends", package);
        return Path.Exists(file);
    }

    private static bool Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/apt-get", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process.WaitForExit(TimeSpan.FromMinutes(3)) && process.ExitCode == 0;
    }
}
