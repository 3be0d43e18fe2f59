import { afterEach, expect, test } from 'vitest';
import { DockerSite } from '../support/docker-site.ts';
import { ShopLoad } from '../support/shop-load.ts';

const sites: DockerSite[] = [];
afterEach(async () => {
  for (const site of sites.splice(0).reverse()) await site.close();
});

test('two deploys of two services at once on one machine, behind one nginx, do not meet', async () => {
  const shop = await DockerSite.open({ releases: [{ version: 'shop-1' }, { version: 'shop-2' }] });
  sites.push(shop);
  const cart = await DockerSite.open({
    beside: shop,
    releases: [{ version: 'cart-1' }, { version: 'cart-2', broken: 'pages' }],
  });
  sites.push(cart);
  await Promise.all([shop.live('shop-1'), cart.live('cart-1')]);
  for (const site of sites) site.work();
  const before = await cart.footprint();
  const loads = sites.map(({ url }) => new ShopLoad(url));
  const runs = await Promise.all([shop.deploy('shop-2'), cart.deploy('cart-2', { rollout: { bake: '30s' } })]);
  const [good, bad] = await Promise.all(runs.map((run) => run.end()));
  const [toShop, toCart] = await Promise.all(loads.map((load) => load.stop()));
  console.info(`shop: ${toShop!.sent} sent, ${toShop!.lost.length} lost; cart: ${toCart!.sent} sent; ${bad!.sentence}`);

  expect(good).toMatchObject({ outcome: 'succeeded', release: 'shop-2', from: 'shop-1' });
  expect(toShop!.lost).toEqual([]);
  expect(loads[0]!.versionsSince(0)).toEqual(['shop-1', 'shop-2']);
  expect(bad).toMatchObject({ outcome: 'rolled back', release: 'cart-2', from: 'cart-1' });
  expect(toCart!.lost.every((one) => one.endsWith('of cart-2'))).toBe(true);
  expect(loads[1]!.versionsSince(0)).toEqual(['cart-1', 'cart-2']);
  expect(await cart.footprint()).toEqual({ ...before, images: ['cart-1', 'cart-2'] });
  expect((await shop.footprint()).containers).toEqual([expect.stringContaining(`/${shop.service}-green `)]);
}, 180_000);
