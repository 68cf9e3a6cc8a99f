namespace Ferry.Engine.Model;

/// <summary>How positions turn queries and keys.</summary>
/// <param name="Kind">Default, linear or llama3.</param>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="Factor">Linear and llama3: by how much positions are stretched.</param>
/// <param name="LowFrequencyFactor">Llama3: wavelengths above original / this are stretched by the whole factor.</param>
/// <param name="HighFrequencyFactor">Llama3: wavelengths below original / this are left alone; between the two it is blended.</param>
/// <param name="OriginalPositions">Llama3: context length before stretching.</param>
public sealed record RopeConfig(
    RopeKind Kind, double Theta, double Factor = 1, double LowFrequencyFactor = 1, double HighFrequencyFactor = 1, int OriginalPositions = 0)
{
    /// <summary>Angle per position of each pair (i, i + headDim / 2), rounded to fp32 as Hugging Face does.</summary>
    public float[] InverseFrequencies(int headDim)
    {
        var result = new float[headDim / 2];
        for (int i = 0; i < result.Length; i++)
        {
            double frequency = (float)(1.0 / Math.Pow(Theta, 2.0 * i / headDim));
            result[i] = (float)(Kind switch
            {
                RopeKind.Linear => frequency / Factor,
                RopeKind.Llama3 => Stretch(frequency),
                _ => frequency,
            });
        }
        return result;
    }

    private double Stretch(double frequency)
    {
        double wavelength = 2 * Math.PI / frequency;
        if (wavelength > OriginalPositions / LowFrequencyFactor)
        {
            return frequency / Factor;
        }
        if (wavelength < OriginalPositions / HighFrequencyFactor)
        {
            return frequency;
        }
        double smooth = ((OriginalPositions / wavelength) - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return ((1 - smooth) * frequency / Factor) + (smooth * frequency);
    }
}
