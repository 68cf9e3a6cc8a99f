using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ferry.Benchmarks.Disk;

/// <summary>fio with the same pattern on the same file system: what the disk gives.</summary>
/// <param name="hugePages">Whether its buffers are in huge pages, as the other side's: with them the same disk gives up to twice as much.</param>
internal sealed class FioSide(string directory, int depth, bool hugePages)
{
    public static bool TryInstall()
    {
        if (IsThere())
        {
            return true;
        }
        try
        {
            Process.Start("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "fio"]).WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
        return IsThere();
    }

    /// <returns>Bytes a second, and CPU seconds per 10⁹ bytes.</returns>
    public (double Rate, double CpuPerGigabyte) Run(bool write, int blockBytes, long totalBytes)
    {
        var file = Path.Combine(directory, "fio.data");
        if (!write && !File.Exists(file))
        {
            Run(write: true, blockBytes, totalBytes);
        }
        string[] arguments =
        [
            "--name=ferry", $"--filename={file}", $"--rw={(write ? "write" : "randread")}", $"--bs={blockBytes}", $"--size={totalBytes}", $"--iodepth={depth}",
            "--direct=1", "--ioengine=io_uring", "--fallocate=native", "--output-format=json", $"--randseed={blockBytes}",
        ];
        if (write)
        {
            File.Delete(file);
        }
        var start = new ProcessStartInfo("fio", arguments) { RedirectStandardOutput = true };
        start.Environment["GLIBC_TUNABLES"] = $"glibc.malloc.hugetlb={(hugePages ? 1 : 0)}";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"fio ended with {process.ExitCode.ToString(CultureInfo.InvariantCulture)}: {output}");
        }
        var job = JsonDocument.Parse(output[output.IndexOf('{')..]).RootElement.GetProperty("jobs")[0];
        var side = job.GetProperty(write ? "write" : "read");
        var cpu = (job.GetProperty("usr_cpu").GetDouble() + job.GetProperty("sys_cpu").GetDouble()) / 100 * side.GetProperty("runtime").GetDouble() / 1000;
        return (side.GetProperty("bw_bytes").GetDouble(), cpu / (side.GetProperty("io_bytes").GetDouble() / 1e9));
    }

    public void Clear() => File.Delete(Path.Combine(directory, "fio.data"));

    private static bool IsThere()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("fio", "--version") { RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
