using Ferry.Kv.Ucx;

namespace Ferry.Transfer.Host;

/// <summary>Whose accelerators a host has, told by the device files of their drivers.</summary>
/// <param name="Vendor">The one maker found; <see cref="UcxVendor.Any"/> for none, or several.</param>
/// <param name="Devices">The device files that say so.</param>
public sealed record Accelerators(UcxVendor Vendor, IReadOnlyList<string> Devices)
{
    public static Accelerators Read(HostFiles files)
    {
        var found = new List<(UcxVendor Vendor, string Device)>();
        if (files.Exists("/dev/kfd"))
        {
            found.Add((UcxVendor.Amd, "/dev/kfd"));
        }
        // Gaudi's driver was out of the kernel's accel class before 6.2, and other makers' accelerators are in it too.
        found.AddRange(files.Names("/dev").Where(name => name.StartsWith("hl", StringComparison.Ordinal) && name.Length > 2 && name[2..].All(char.IsAsciiDigit))
            .Select(name => (UcxVendor.Gaudi, $"/dev/{name}")));
        found.AddRange(files.Names("/sys/class/accel").Where(name => files.TryRead($"/sys/class/accel/{name}/device/vendor") == "0x1da3")
            .Select(name => (UcxVendor.Gaudi, $"/dev/accel/{name}")));
        if (files.Exists("/dev/nvidiactl"))
        {
            found.Add((UcxVendor.Nvidia, "/dev/nvidiactl"));
        }
        var vendors = found.Select(one => one.Vendor).Distinct().ToArray();
        return new Accelerators(vendors is [var one] ? one : UcxVendor.Any, [.. found.Select(device => device.Device)]);
    }
}
