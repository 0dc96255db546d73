"""Import of 1,000,000 interactions: seconds, and the peak memory of the job worker."""

from measuring import peak_megabytes
from running import children
from shop import INTERACTIONS, Shop, write_interactions


def main():
    with Shop() as shop:
        write_interactions(shop.bucket / "interactions.csv", 100_000, 20_000, 1_000_000)
        shop.make_group()
        dataset = shop.add_dataset("INTERACTIONS", INTERACTIONS)
        worker = next(pid for pid, line in children(shop.product.process.pid).items() if line.split()[1:2] == ["work"])
        before = peak_megabytes(worker)
        seconds = shop.load(dataset, "interactions.csv", "million")
        print(f"1,000,000 interactions imported in {seconds:.1f} s; peak memory of the job worker {peak_megabytes(worker):.0f} MB ({before:.0f} MB before).")


if __name__ == "__main__":
    main()
